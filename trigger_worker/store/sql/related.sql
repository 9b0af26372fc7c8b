-- By product, those that stand together with it more often than chance, best first. The measure is lift (Brin, Motwani,
-- Ullman, Tsur 1997, who call it interest): P(a and b) / (P(a) P(b)) = n(a,b) N / (n(a) n(b)), above 1.
WITH
    grouped AS (/* groups */),
    (SELECT count() FROM grouped WHERE notEmpty(products)) AS total,
    singles AS (SELECT arrayJoin(products) AS product, count() AS times FROM grouped GROUP BY product),
    pairs AS
    (
        SELECT one, other, count() AS times
        FROM (SELECT arrayJoin(products) AS one, arrayJoin(arrayFilter(each -> each != one, products)) AS other FROM grouped)
        GROUP BY one, other
        HAVING times >= {support:UInt32}
    ),
    ranked AS
    (
        SELECT one, other, pairs.times AS times, pairs.times * total / (a.times * b.times) AS lift
        FROM pairs
        INNER JOIN singles AS a ON a.product = one
        INNER JOIN singles AS b ON b.product = other
        WHERE lift > 1
        ORDER BY one, lift DESC, times DESC, other
        LIMIT {related:UInt32} BY one
    )
SELECT one, arrayMap(each -> each.3, arraySort(groupArray((-lift, -toInt64(times), other)))) AS others
FROM ranked
GROUP BY one

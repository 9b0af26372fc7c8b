-- The products of a site as the shop itself describes them: those that most people looked at, then as many others as there
-- is room for. Which they are is found out before anything is read of them: a feed may name a million.
WITH looked AS (
    SELECT product_id, uniq(visitor_id) AS viewers
    FROM events
    WHERE site = {site:String} AND event = 'view_item' AND product_id != ''
      AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    GROUP BY product_id
    ORDER BY viewers DESC, product_id
    LIMIT {limit:UInt32})
SELECT c.product_id, c.name, c.category, c.price, c.currency, c.image, c.url, c.sale_price, c.availability
FROM
(
    SELECT *
    FROM catalogue
    WHERE site = {site:String} AND name != '' AND product_id IN
    (
        SELECT product_id FROM looked
        UNION ALL
        SELECT product_id FROM verified_products WHERE site = {site:String} LIMIT {limit:UInt32}
        UNION ALL
        SELECT product_id FROM feed_products WHERE site = {site:String} LIMIT {limit:UInt32}
    )
) AS c
LEFT JOIN looked AS l ON l.product_id = c.product_id
ORDER BY l.viewers DESC, c.product_id
LIMIT {limit:UInt32}

-- The products of a site as the shop itself describes them: those that most people looked at, then the newest.
SELECT c.product_id, c.name, c.category, c.price, c.currency, c.image, c.url, c.sale_price, c.availability
FROM catalogue AS c
LEFT JOIN
(
    SELECT product_id, uniq(visitor_id) AS viewers
    FROM events
    WHERE site = {site:String} AND event = 'view_item' AND product_id != ''
      AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
    GROUP BY product_id
) AS looks ON looks.product_id = c.product_id
WHERE c.site = {site:String} AND c.name != ''
ORDER BY looks.viewers DESC, c.at DESC, c.product_id
LIMIT {limit:UInt32}

-- The products that most people looked at: what the shop itself says of each (`catalogue`), else what the looks at it
-- told, the latest word on everything. A feed's word on its stock outweighs that of pages.
WITH looked AS (
    SELECT product_id,
           argMaxIf(name, ts, name != '') AS name,
           argMaxIf(category, ts, category != '') AS category,
           argMaxIf(price, ts, isNotNull(price)) AS price,
           argMaxIf(currency, ts, currency != '') AS currency,
           argMaxIf(JSONExtractString(props, 'image'), ts, JSONExtractString(props, 'image') != '') AS image,
           argMaxIf(url, ts, url != '') AS url,
           -- Of the latest look that tells it at all: a page may tell of one look twice, and of the stock once.
           argMaxIf((JSONExtractRaw(props, 'in_stock'), JSONExtractString(props, 'availability')), (ts, event_id),
                    JSONHas(props, 'in_stock') OR JSONHas(props, 'availability')) AS stock,
           uniq(visitor_id) AS viewers
    FROM events
    WHERE site = {site:String} AND event = 'view_item' AND product_id != ''
      AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    GROUP BY product_id
    ORDER BY viewers DESC, product_id
    LIMIT {products:UInt32})
SELECT l.product_id,
       if(c.name != '', c.name, l.name) AS name,
       if(c.category != '', c.category, toString(l.category)) AS category,
       if(c.is_of_feed AND isNotNull(c.price), c.price, l.price) AS price,
       if(c.is_of_feed AND c.currency != '', c.currency, toString(l.currency)) AS currency,
       if(c.image != '', c.image, l.image) AS image,
       if(c.url != '', c.url, l.url) AS url,
       c.sale_price AS sale_price,
       c.availability AS said,
       if(c.availability != '', '', l.stock.1) AS in_stock,
       if(c.availability != '', c.availability, l.stock.2) AS availability
FROM looked AS l
LEFT JOIN
(
    SELECT * FROM catalogue WHERE site = {site:String} AND product_id IN (SELECT product_id FROM looked)
) AS c ON c.product_id = l.product_id
ORDER BY l.viewers DESC, l.product_id

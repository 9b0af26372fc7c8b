-- What the looks at each product told of it, the latest word on everything, of the products that most people looked at.
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
       stock.1 AS in_stock,
       stock.2 AS availability
FROM events
WHERE site = {site:String} AND event = 'view_item' AND product_id != ''
  AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY product_id
ORDER BY uniq(visitor_id) DESC, product_id
LIMIT {products:UInt32}

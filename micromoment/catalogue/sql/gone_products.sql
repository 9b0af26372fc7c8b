-- Products that a feed named before and does not name any more, as it described them last.
SELECT product_id, name, category, price, sale_price, toString(currency) AS currency, image, url,
       toString(availability) AS availability, stock
FROM feed_products FINAL
WHERE site = {site:String} AND feed = {feed:String} AND ts < {read_at:DateTime64(3, 'UTC')} AND NOT is_gone
ORDER BY product_id
LIMIT {limit:UInt32}

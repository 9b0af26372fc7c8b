-- Products that a feed named before and does not name any more.
SELECT product_id
FROM feed_products FINAL
WHERE site = {site:String} AND feed = {feed:String} AND ts < {read_at:DateTime64(3, 'UTC')} AND NOT is_gone
ORDER BY product_id
LIMIT {limit:UInt32}

-- Products as the shop's feeds describe them: one row for each product of a feed, as it was read last.
CREATE TABLE IF NOT EXISTS feed_products
(
    site         LowCardinality(String),
    product_id   String,
    feed         LowCardinality(String) COMMENT 'which of the feeds of the site',
    ts           DateTime64(3, 'UTC') COMMENT 'when the feed was read',
    name         String,
    category     String,
    price        Nullable(Float64) COMMENT 'the usual price',
    sale_price   Nullable(Float64) COMMENT 'what it costs now, where that is less',
    currency     LowCardinality(String),
    image        String,
    url          String,
    availability LowCardinality(String) COMMENT 'in_stock, out_of_stock, preorder or backorder',
    stock        Nullable(Float64) COMMENT 'pieces',
    is_gone      UInt8 COMMENT 'the feed named it before, and does not any more'
)
ENGINE = ReplacingMergeTree(ts)
ORDER BY (site, product_id, feed)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

-- What the shop itself says of its products, field by field: a feed's word goes before what its server or an import told
-- in events. What a feed names no more is out of stock.
CREATE VIEW IF NOT EXISTS catalogue AS
SELECT site, product_id,
       argMaxIf(told_name, (is_feed, told_at), told_name != '') AS name,
       argMaxIf(told_category, (is_feed, told_at), told_category != '') AS category,
       tupleElement(argMax(tuple(told_price), (is_feed, isNotNull(told_price), told_at)), 1) AS price,
       tupleElement(argMax(tuple(told_sale_price), (is_feed, told_at)), 1) AS sale_price,
       argMaxIf(told_currency, (is_feed, told_at), told_currency != '') AS currency,
       argMaxIf(told_image, (is_feed, told_at), told_image != '') AS image,
       argMaxIf(told_url, (is_feed, told_at), told_url != '') AS url,
       if(argMax(is_gone, (is_feed, told_at)) = 1, 'out_of_stock', argMax(told_availability, (is_feed, told_at)))
           AS availability,
       tupleElement(argMax(tuple(told_stock), (is_feed, told_at)), 1) AS stock,
       max(is_feed) AS is_of_feed,
       max(told_at) AS at
FROM
(
    SELECT toString(site) AS site, product_id, 1 AS is_feed, ts AS told_at, name AS told_name, category AS told_category,
           price AS told_price, sale_price AS told_sale_price, toString(currency) AS told_currency, image AS told_image,
           url AS told_url, toString(availability) AS told_availability, stock AS told_stock, is_gone
    FROM feed_products FINAL
    UNION ALL
    SELECT toString(site), product_id, 0, ts, name, toString(category), price, NULL, toString(currency), image, url, '',
           NULL, 0
    FROM verified_products FINAL
)
GROUP BY site, product_id;

-- Products as the shop's server or an import described them last: what pages say of a product is text from strangers.
CREATE TABLE IF NOT EXISTS verified_products
(
    site       LowCardinality(String),
    product_id String,
    ts         DateTime64(3, 'UTC') COMMENT 'when it was described',
    name       String,
    category   LowCardinality(String),
    price      Nullable(Float64),
    currency   LowCardinality(String),
    image      String,
    url        String
)
ENGINE = ReplacingMergeTree(ts)
ORDER BY (site, product_id)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS verified_products_writer TO verified_products AS
SELECT site, product_id, ts, name, category, price, currency, JSONExtractString(props, 'image') AS image, url
FROM events
WHERE product_id != '' AND name != '' AND (source = 'import' OR JSONExtractString(props, 'proven_by') = 'server');

INSERT INTO verified_products (site, product_id, ts, name, category, price, currency, image, url)
SELECT site, product_id, ts, name, category, price, currency, JSONExtractString(props, 'image'), url
FROM events
WHERE product_id != '' AND name != '' AND source = 'import';

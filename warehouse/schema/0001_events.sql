-- Every event once, ordered so that one visitor's recent rows lie together: a trigger reads few visitors, all their
-- recent rows. Text that is absent is '', a number that is absent is NULL.
CREATE TABLE IF NOT EXISTS events
(
    site           LowCardinality(String),
    visitor_id     String COMMENT 'user_id when known at receipt, else anonymous_id; `identity` joins the two',
    ts             DateTime64(3, 'UTC') COMMENT 'client time, corrected for clock skew once' CODEC(Delta(8), LZ4),
    event_id       String COMMENT 'messageId of the wire',
    event          LowCardinality(String),
    type           LowCardinality(String) COMMENT 'track, page, screen, identify, group or alias',
    received_at    DateTime64(3, 'UTC') COMMENT 'when the collector got it' CODEC(Delta(8), LZ4),
    ingested_at    DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'stamped by each insert attempt' CODEC(Delta(8), LZ4),
    source         LowCardinality(String) COMMENT 'live or import; imported history never triggers a live rule',
    anonymous_id   String,
    user_id        String,
    session_id     String,
    seq            UInt32 COMMENT 'position in the session, from 1; 0 when unknown',
    path           String,
    url            String,
    title          String,
    referrer       String,
    page_type      LowCardinality(String),
    product_id     String,
    name           String COMMENT 'product name',
    category       LowCardinality(String),
    price          Nullable(Float64),
    quantity       Nullable(Float64),
    value          Nullable(Float64),
    currency       LowCardinality(String),
    order_id       String,
    coupon         String,
    search_term    String,
    results        Nullable(Float64),
    duration_ms    Nullable(Float64),
    depth_pct      Nullable(Float64),
    message_id     String,
    device         LowCardinality(String),
    os             LowCardinality(String),
    browser        LowCardinality(String),
    country        LowCardinality(String),
    region         LowCardinality(String),
    timezone       LowCardinality(String),
    locale         LowCardinality(String),
    utm_source     LowCardinality(String),
    utm_medium     LowCardinality(String),
    utm_campaign   LowCardinality(String),
    props          String COMMENT 'JSON object with everything else' CODEC(ZSTD(3)),
    retention_days UInt16 DEFAULT 400 COMMENT 'counted from receipt'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYYYYMM(ts)
ORDER BY (site, visitor_id, ts, event_id)
TTL toDateTime(ingested_at) + toIntervalDay(retention_days)
SETTINGS index_granularity = 1024, min_compress_block_size = 16384, max_compress_block_size = 65536,
         non_replicated_deduplication_window = 10000, merge_with_ttl_timeout = 3600;

-- What changed since a moment, and what is now exactly fifteen minutes old. Kept longer than the longest wait.
CREATE TABLE IF NOT EXISTS event_feed
(
    ingested_at DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    site        LowCardinality(String),
    event       LowCardinality(String),
    visitor_id  String,
    ts          DateTime64(3, 'UTC') CODEC(Delta(8), LZ4),
    event_id    String
)
ENGINE = MergeTree
PARTITION BY toMonday(ingested_at)
ORDER BY (ingested_at, site, event)
TTL toDateTime(ingested_at) + toIntervalDay(35)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS event_feed_writer TO event_feed AS
SELECT ingested_at, site, event, visitor_id, ts, event_id
FROM events
WHERE source = 'live';

-- Daily rollup per visitor and event. `uniq` over event ids stays right when an event is stored twice.
CREATE TABLE IF NOT EXISTS visitor_daily
(
    site       LowCardinality(String),
    visitor_id String,
    event      LowCardinality(String),
    day        Date,
    events     AggregateFunction(uniq, String),
    first_ts   SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_ts    SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (site, visitor_id, event, day)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS visitor_daily_writer TO visitor_daily AS
SELECT site, visitor_id, event, toDate(ts) AS day, uniqState(event_id) AS events, min(ts) AS first_ts, max(ts) AS last_ts
FROM events
GROUP BY site, visitor_id, event, day;

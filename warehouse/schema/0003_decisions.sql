-- A rule's match that fired. The id follows from rule version, visitor, key and instant, so a repeat is the same row.
CREATE TABLE IF NOT EXISTS fires
(
    fire_id    String,
    site       LowCardinality(String),
    rule       LowCardinality(String),
    version    LowCardinality(String),
    visitor_id String,
    key        String,
    at         DateTime64(3, 'UTC') COMMENT 'the instant of the match',
    fired_at   DateTime64(3, 'UTC') COMMENT 'when the worker stored it',
    event      String COMMENT 'JSON: the event that completed the pattern' CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(fired_at)
PARTITION BY toYYYYMM(at)
ORDER BY (site, visitor_id, rule, key, at, fire_id)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

-- What the gate said about each message, and the values that decided.
CREATE TABLE IF NOT EXISTS decisions
(
    message_id String,
    fire_id    String,
    site       LowCardinality(String),
    rule       LowCardinality(String),
    visitor_id String,
    channel    LowCardinality(String),
    template   LowCardinality(String),
    arm        LowCardinality(String),
    verdict    LowCardinality(String) COMMENT 'send, defer or drop',
    reason     LowCardinality(String),
    detail     String COMMENT 'JSON: the values that decided' CODEC(ZSTD(3)),
    decided_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(decided_at)
ORDER BY (site, visitor_id, decided_at, message_id)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

-- One row per message and state that it reached; its state now is the one with the latest `at`.
CREATE TABLE IF NOT EXISTS messages
(
    message_id String,
    fire_id    String,
    site       LowCardinality(String),
    rule       LowCardinality(String),
    version    LowCardinality(String),
    visitor_id String,
    channel    LowCardinality(String),
    template   LowCardinality(String),
    tags       Array(LowCardinality(String)),
    class      LowCardinality(String),
    state      LowCardinality(String) COMMENT 'pending, sent, delivered, shown, opened, clicked, dismissed, failed, cancelled',
    at         DateTime64(3, 'UTC') COMMENT 'when it reached the state',
    due_at     DateTime64(3, 'UTC') COMMENT 'when it should be, or should have been, sent',
    expires_at DateTime64(3, 'UTC'),
    recipients Array(String) COMMENT 'anonymous ids whose pages may show it; empty for other channels',
    content    String COMMENT 'JSON of a banner, so that the next page can show it; else empty' CODEC(ZSTD(3)),
    detail     String COMMENT 'JSON: attempts, errors, reason' CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(at)
PARTITION BY toYYYYMM(due_at)
ORDER BY (site, visitor_id, message_id, state)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

-- Up to where a worker has read the feed.
CREATE TABLE IF NOT EXISTS worker_cursor
(
    worker  String,
    shard   UInt32,
    read_to DateTime64(3, 'UTC'),
    at      DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (worker, shard);

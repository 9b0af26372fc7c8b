-- What senders do wrong: events that were not kept, and events that were not kept as they were sent, by site and code.
-- Counts of the same five minutes are added up when parts are merged, and up to eight examples of them stay.
CREATE TABLE IF NOT EXISTS faults
(
    site    LowCardinality(String),
    kind    LowCardinality(String) COMMENT 'drop or warning',
    code    LowCardinality(String),
    slot    DateTime('UTC') COMMENT 'the five minutes',
    variety UInt8 COMMENT 'tells different examples apart, 0 to 7',
    events  SimpleAggregateFunction(sum, UInt64) COMMENT 'how many',
    remedy  SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'what whoever sends them can do',
    at      SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'of the example',
    event   SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'its name',
    sender  SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'library and version, as the sender says it',
    detail  SimpleAggregateFunction(anyLast, String) COMMENT 'what is wrong with it, without values'
)
ENGINE = AggregatingMergeTree
ORDER BY (site, kind, code, slot, variety)
TTL slot + toIntervalDay(2)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 1000;

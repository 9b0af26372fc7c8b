-- The text of every version of a rule that was ever loaded: messages that an earlier version asked for go by theirs.
CREATE TABLE IF NOT EXISTS rule_versions
(
    rule          String,
    version       String,
    source        SimpleAggregateFunction(any, String) COMMENT 'the rule file, as it was' CODEC(ZSTD(3)),
    first_seen_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'when a worker first loaded it'
)
ENGINE = AggregatingMergeTree
ORDER BY (rule, version)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 1000;

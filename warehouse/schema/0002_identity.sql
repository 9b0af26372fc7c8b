-- Which person an id belongs to, learned from every event that names both. The latest word wins.
CREATE TABLE IF NOT EXISTS identity
(
    site       LowCardinality(String),
    alias      String COMMENT 'an anonymous id, or an id that a person had before',
    person     String,
    learned_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(learned_at)
ORDER BY (site, alias)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS identity_writer TO identity AS
SELECT site, anonymous_id AS alias, argMax(user_id, ts) AS person, max(ts) AS learned_at
FROM events
WHERE user_id != '' AND anonymous_id != '' AND user_id != anonymous_id
GROUP BY site, anonymous_id;

-- The same, found by person. An alias that moved on is still listed here: readers check it against `identity`.
CREATE TABLE IF NOT EXISTS identity_by_person
(
    site       LowCardinality(String),
    person     String,
    alias      String,
    learned_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(learned_at)
ORDER BY (site, person, alias)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS identity_by_person_writer TO identity_by_person AS
SELECT site, user_id AS person, anonymous_id AS alias, max(ts) AS learned_at
FROM events
WHERE user_id != '' AND anonymous_id != '' AND user_id != anonymous_id
GROUP BY site, user_id, anonymous_id;

-- Ids that were erased, and ids of messages to them, as keyed hashes: what arrives late, of before, brings nobody back.
CREATE TABLE IF NOT EXISTS tombstones
(
    mark      String COMMENT 'keyed hash; tells nobody anything without the secret',
    erased_at DateTime64(3, 'UTC') COMMENT 'what happened before is not kept',
    until     DateTime('UTC') COMMENT 'when the tombstone goes'
)
ENGINE = ReplacingMergeTree(erased_at)
ORDER BY mark
TTL until
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 1000;

-- What operators changed, and who. It names no person.
CREATE TABLE IF NOT EXISTS audit
(
    at     DateTime64(3, 'UTC'),
    actor  String COMMENT 'the user of the machine, or the token of the admin API',
    action LowCardinality(String),
    detail String COMMENT 'JSON: what, and how much'
)
ENGINE = MergeTree
ORDER BY at
TTL toDateTime(at) + toIntervalDay(1100)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 1000;

-- What follows from behaviour is kept no longer than behaviour usually is; `records_days` changes it.
ALTER TABLE fires MODIFY TTL toDateTime(fired_at) + toIntervalDay(400) SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE decisions MODIFY TTL toDateTime(decided_at) + toIntervalDay(400) SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE messages MODIFY TTL toDateTime(at) + toIntervalDay(400) SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE coupon_assignments MODIFY TTL toDateTime(assigned_at) + toIntervalDay(400) SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE visitor_daily MODIFY TTL toDateTime(day) + toIntervalDay(400) SETTINGS materialize_ttl_after_modify = 0;
-- Which ids belong together is known as long as a refusal counts: it holds for all of them.
ALTER TABLE identity MODIFY TTL toDateTime(learned_at) + toIntervalDay(7300) SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE identity_by_person MODIFY TTL toDateTime(learned_at) + toIntervalDay(7300) SETTINGS materialize_ttl_after_modify = 0;

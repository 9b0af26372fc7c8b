-- What became known of an address, whichever visitors name it: that its reader left, that it bounced, that it is
-- confirmed. The latest time of each fact; never deleted by age, for a refusal is not to be forgotten.
CREATE TABLE IF NOT EXISTS address_facts
(
    site    LowCardinality(String),
    channel LowCardinality(String),
    address String COMMENT 'keyed hash of site, channel and normalised address',
    fact    LowCardinality(String) COMMENT 'left, returned, refused, allowed, bounced, complained, confirmed',
    at      DateTime64(3, 'UTC') COMMENT 'when it was said last',
    source  LowCardinality(String) COMMENT 'who said it'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (site, channel, address, fact)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

-- The addresses that a message was sent to, by the same hash.
ALTER TABLE messages
    ADD COLUMN IF NOT EXISTS addresses Array(String) COMMENT 'keyed hashes of the addresses that it was sent to';

-- The messages that were sent to an address, with the states that they reached.
CREATE TABLE IF NOT EXISTS address_messages
(
    site       LowCardinality(String),
    channel    LowCardinality(String),
    address    String COMMENT 'keyed hash of site, channel and normalised address',
    message_id String,
    state      LowCardinality(String),
    at         DateTime64(3, 'UTC') COMMENT 'when it reached the state',
    rule       LowCardinality(String),
    tags       Array(LowCardinality(String)),
    class      LowCardinality(String),
    visitor_id String,
    fire_id    String
)
ENGINE = ReplacingMergeTree(at)
PARTITION BY toYYYYMM(at)
ORDER BY (site, channel, address, message_id, state)
TTL toDateTime(at) + toIntervalDay(400)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS address_messages_writer TO address_messages AS
SELECT site, channel, address, message_id, state, at, rule, tags, class, visitor_id, fire_id
FROM messages
ARRAY JOIN addresses AS address
WHERE state != 'pending';

-- Ids under which somebody said no, or whose address is dead: however many ids are joined to a person later, these are
-- read with the person.
CREATE TABLE IF NOT EXISTS refusing_ids
(
    site       LowCardinality(String),
    visitor_id String,
    at         DateTime64(3, 'UTC') COMMENT 'when it was said first, or later'
)
ENGINE = ReplacingMergeTree
ORDER BY (site, visitor_id)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS refusing_ids_writer TO refusing_ids AS
SELECT site, visitor_id, min(ts) AS at
FROM events
WHERE event IN ('unsubscribed', 'email_bounced', 'email_complained')
   OR (event = 'consent' AND position(props, 'false') > 0)
   OR (event = 'identify' AND position(props, '"consent"') > 0 AND position(props, 'false') > 0)
GROUP BY site, visitor_id;

INSERT INTO refusing_ids (site, visitor_id, at)
SELECT site, visitor_id, min(ts)
FROM events
WHERE event IN ('unsubscribed', 'email_bounced', 'email_complained')
   OR (event = 'consent' AND position(props, 'false') > 0)
   OR (event = 'identify' AND position(props, '"consent"') > 0 AND position(props, 'false') > 0)
GROUP BY site, visitor_id;

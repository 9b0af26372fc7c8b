-- A rule may wait for up to 400 days ("no purchase within 90d"), and finds what is that old in the feed: it is kept as
-- long as such waits last. It takes about a tenth of the room of the events themselves.
ALTER TABLE event_feed
    MODIFY TTL toDateTime(ingested_at) + toIntervalDay(401)
    SETTINGS materialize_ttl_after_modify = 0;

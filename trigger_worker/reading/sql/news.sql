-- What became visible since the cursor. The caller goes back a little before it, because parallel inserts may show
-- a row late, and skips what it has seen.
SELECT site, event, visitor_id, event_id, toUnixTimestamp64Milli(ts) AS ts, toUnixTimestamp64Milli(ingested_at) AS ingested
FROM event_feed
WHERE ingested_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY ingested_at, event_id
LIMIT {limit:UInt32}

-- Anchors of one wait that has just run out for them: the slice of the feed that is now as old as the wait.
SELECT DISTINCT site, visitor_id, event, toUnixTimestamp64Milli(ts) AS ts
FROM event_feed
WHERE ingested_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND ingested_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND (event IN {names:Array(String)} OR ({every_event:Bool} AND event NOT IN {excluded:Array(String)}))

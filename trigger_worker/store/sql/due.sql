-- Anchors of one wait that has just run out for them: the slice of the feed that is now as old as the wait. An event
-- whose machine's clock is ahead starts its wait at its own time.
SELECT DISTINCT site, visitor_id, event, toUnixTimestamp64Milli(ts) AS at,
       toUnixTimestamp64Milli(greatest(ingested_at, ts)) AS visible_at
FROM event_feed
WHERE ingested_at > fromUnixTimestamp64Milli({since:Int64} - {skew:Int64}, 'UTC')
  AND ingested_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND visible_at > {since:Int64}
  AND visible_at <= {until:Int64}
  AND visitor_id != ''
  AND (event IN {names:Array(String)} OR ({every_event:Bool} AND event NOT IN {excluded:Array(String)}))
ORDER BY visible_at, site, visitor_id

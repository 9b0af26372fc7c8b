-- What became visible since the cursor, a page at a time. The caller goes back a little before the cursor, because
-- parallel inserts may show a row late, and skips what it has seen. An event whose machine's clock is ahead is news
-- once that time has come.
SELECT site, event, visitor_id, event_id, toUnixTimestamp64Milli(ts) AS at,
       toUnixTimestamp64Milli(greatest(ingested_at, ts)) AS visible_at
FROM event_feed
WHERE ingested_at >= fromUnixTimestamp64Milli({since:Int64} - {skew:Int64}, 'UTC')
  AND ingested_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND visible_at <= {until:Int64}
  AND (visible_at, site, visitor_id, event_id)
      > ({since:Int64}, {after_site:String}, {after_visitor:String}, {after_event:String})
ORDER BY visible_at, site, visitor_id, event_id
LIMIT {limit:UInt32}

-- The candidates' rows of the names and windows that their rules look at, and nothing else. The two marks are filled
-- by `events.py` from our own column names and from bound parameters.
SELECT visitor_id, event, toUnixTimestamp64Milli(ts) AS at, event_id,
       multiIf(untimed = 1, -1,
               source = 'live' AND received_at > ts + toIntervalMillisecond({late:UInt32}),
               dateDiff('millisecond', ts, received_at), 0) AS late_ms /* columns */
FROM events
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND (/* windows */)
SETTINGS max_threads = 1

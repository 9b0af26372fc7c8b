-- All events of some people, with the columns that are wanted of them: one reading gives histories and surroundings. The
-- mark is filled by `windows.py` from our own column names.
SELECT visitor_id, event, toUnixTimestamp64Milli(ts) AS at, event_id,
       multiIf(untimed = 1, -1,
               source = 'live' AND received_at > ts + toIntervalMillisecond({late:UInt32}),
               dateDiff('millisecond', ts, received_at), 0) AS late_ms /* columns */
FROM events
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
SETTINGS max_threads = 1

-- Everything about single events, for the messages that they lead to.
SELECT visitor_id, event, toUnixTimestamp64Milli(ts) AS at, event_id,
       multiIf(untimed = 1, -1,
               source = 'live' AND received_at > ts + toIntervalMillisecond({late:UInt32}),
               dateDiff('millisecond', ts, received_at), 0) AS late_ms /* columns */
FROM events
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND event_id IN {events:Array(String)}
ORDER BY ts
LIMIT 1 BY visitor_id, event_id
SETTINGS max_threads = 1

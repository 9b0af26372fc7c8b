-- The messages of some channels that were sent since an instant, each once, the earliest first.
SELECT site, class, message_id, toUnixTimestamp64Milli(max(at)) AS sent
FROM messages
WHERE state = 'sent' AND channel IN {channels:Array(String)}
  AND at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND due_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC') - toIntervalDay(60)
GROUP BY site, class, message_id
ORDER BY sent, message_id
LIMIT {limit:UInt32}

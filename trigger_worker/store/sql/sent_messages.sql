-- What these visitors were sent on every channel, and what became of it. What they were sent earlier has no row `sent`
-- left, and is not counted for what became of it since.
SELECT visitor_id, message_id, any(channel), any(rule), min(toUnixTimestamp64Milli(at)) AS sent_at, any(tags), any(class),
       countIf(state = 'shown') > 0, countIf(state = 'clicked') > 0
FROM messages
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND state IN ('sent', 'shown', 'clicked')
  AND at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY visitor_id, message_id
HAVING countIf(state = 'sent') > 0
ORDER BY sent_at

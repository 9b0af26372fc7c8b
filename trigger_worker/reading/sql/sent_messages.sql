-- What these visitors were sent on every channel, and what became of it.
SELECT message_id, visitor_id, any(channel), any(rule), min(toUnixTimestamp64Milli(at)) AS sent_at, any(tags), any(class),
       countIf(state = 'shown') > 0, countIf(state = 'clicked') > 0
FROM messages
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND state IN ('sent', 'shown', 'clicked')
GROUP BY visitor_id, message_id
HAVING sent_at > {since:Int64} AND countIf(state = 'sent') > 0
ORDER BY sent_at

-- The messages of some people that were due after an instant, each with the states that it reached.
SELECT visitor_id, message_id, any(fire_id), any(channel), any(rule), any(tags), any(class),
       groupArray((state, toUnixTimestamp64Milli(at)))
FROM messages
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND due_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY visitor_id, message_id
SETTINGS max_threads = 1

-- Messages that failed, whole, by id or by rule: what it takes to ask for them again.
SELECT site, message_id, any(rule), visitor_id, any(channel), any(fire_id), any(version), any(template),
       any(tags), any(class), argMax(toUnixTimestamp64Milli(due_at), at), argMax(toUnixTimestamp64Milli(expires_at), at),
       max(retries), max(toUnixTimestamp64Milli(at)), argMaxIf(detail, at, state = 'pending')
FROM messages
WHERE ({rule:String} = '' OR rule = {rule:String})
  AND (empty({messages:Array(String)}) OR message_id IN {messages:Array(String)})
GROUP BY site, visitor_id, message_id
HAVING argMax(state, (retries, state != 'pending', at)) = 'failed' AND countIf(state = 'pending') > 0

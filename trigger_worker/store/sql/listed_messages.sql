-- Messages as they stand now, the latest first. What became of the last round of `retries` counts, and of it what came
-- last; empty lists and names ask about all.
SELECT message_id, any(site), any(rule), any(visitor_id), any(channel),
       argMax(state, (retries, state != 'pending', at)) AS state_now,
       argMax(detail, (retries, state != 'pending', at)), argMax(toUnixTimestamp64Milli(due_at), (retries, at)),
       toUnixTimestamp64Milli(max(at)) AS changed_at, max(retries)
FROM messages
WHERE ({rule:String} = '' OR rule = {rule:String})
  AND (empty({ids:Array(String)}) OR visitor_id IN {ids:Array(String)})
GROUP BY site, visitor_id, message_id
HAVING empty({states:Array(String)}) OR state_now IN {states:Array(String)}
ORDER BY changed_at DESC, message_id
LIMIT {limit:UInt32}

-- Messages that were asked for and have reached no other state: what a worker that starts must go on with.
SELECT message_id, any(fire_id), any(site), any(rule), any(version), any(visitor_id), any(channel), any(template),
       any(tags), any(class), max(toUnixTimestamp64Milli(due_at)) AS due, max(toUnixTimestamp64Milli(expires_at)),
       argMax(detail, at)
FROM messages
WHERE due_at > now64(3) - toIntervalDay(400)
GROUP BY site, visitor_id, message_id
HAVING countIf(state != 'pending') = 0

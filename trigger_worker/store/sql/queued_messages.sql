-- Messages that were asked for, the last time of `retries`, and have reached no other state since: what a worker goes on
-- with. Which those are is found from the key columns alone, in their order, whatever the table holds.
SELECT site, message_id, any(rule), visitor_id, any(channel), any(fire_id), any(version), any(template),
       any(tags), any(class), argMax(toUnixTimestamp64Milli(due_at), at), argMax(toUnixTimestamp64Milli(expires_at), at),
       max(retries), max(toUnixTimestamp64Milli(at)), argMax(detail, at)
FROM messages
WHERE state = 'pending'
  AND ({everybody:Bool} OR (site = {site:String} AND visitor_id IN {ids:Array(String)}))
  AND (site, visitor_id, message_id) IN (
      SELECT site, visitor_id, message_id
      FROM messages
      WHERE due_at > now64(3) - toIntervalDay(400)
        AND ({everybody:Bool} OR (site = {site:String} AND visitor_id IN {ids:Array(String)}))
      GROUP BY site, visitor_id, message_id
      HAVING countIf(state != 'pending') = 0
          OR maxIf(retries, state = 'pending') > maxIf(retries, state != 'pending')
      SETTINGS optimize_aggregation_in_order = 1)
GROUP BY site, visitor_id, message_id

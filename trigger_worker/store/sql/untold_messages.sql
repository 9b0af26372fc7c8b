-- What was sent or failed of late without being among the events: a worker ended between the two. What a provider said
-- of a message later is an event already, and counts no attempts.
SELECT site, message_id, rule, visitor_id, channel, retries, state, toUnixTimestamp64Milli(at), detail
FROM messages
WHERE state IN ('sent', 'failed')
  AND JSONHas(detail, 'attempts')
  AND at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND due_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC') - toIntervalDay(60)
  AND concat('message_', state, '-', message_id, '-', toString(retries)) NOT IN (
      SELECT event_id FROM events
      WHERE event IN ('message_sent', 'message_failed') AND ts > fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
LIMIT 1 BY site, message_id, state, retries

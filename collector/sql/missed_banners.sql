-- Banners that were sent of late and not shown yet, for when the bus did not bring them: the feed, by its key, tells of
-- their sending, by an event whose id names the message, and `messages` has the rows of these visitors.
WITH told AS (
    SELECT site, visitor_id, event_id
    FROM event_feed
    WHERE event = 'message_sent'
      AND ingested_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
      AND ingested_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC'))
SELECT site, message_id, any(recipients) AS browsers, any(content) AS banner,
       max(toUnixTimestamp64Milli(expires_at)) AS expires, min(at) AS sent_at
FROM messages
WHERE (site, visitor_id) IN (SELECT site, visitor_id FROM told)
  AND channel = 'banner'
  AND state != 'pending'
  AND (state != 'sent' OR concat('message_sent-', message_id, '-', toString(retries)) IN (SELECT event_id FROM told))
  AND expires_at > fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
GROUP BY site, message_id
HAVING countIf(state != 'sent') = 0
ORDER BY sent_at, message_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
SETTINGS max_threads = 1

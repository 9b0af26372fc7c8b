-- Banners that were sent to a browser, have not expired, and were never shown nor withdrawn. Reads the messages of the
-- browser's anonymous id and of its person.
SELECT message_id, any(content) AS banner, max(toUnixTimestamp64Milli(expires_at)) AS expires
FROM messages
WHERE site = {site:String}
  AND visitor_id IN (
      SELECT {anonymous_id:String}
      UNION ALL
      SELECT person FROM identity WHERE site = {site:String} AND alias = {anonymous_id:String})
  AND channel = 'banner'
  AND state != 'pending'
  AND expires_at > fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
GROUP BY message_id
HAVING countIf(state != 'sent') = 0 AND countIf(has(recipients, {anonymous_id:String})) > 0
ORDER BY min(at), message_id
LIMIT 5

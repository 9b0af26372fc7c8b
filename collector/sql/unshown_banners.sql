-- Banners that were sent to browsers, have not expired, and were never shown nor withdrawn. Reads the messages of the
-- browsers' anonymous ids and of their persons; one thread, because there is little to read and planning costs more.
SELECT browser, message_id, banner, expires
FROM (
    SELECT message_id,
           any(visitor_id) AS owner,
           any(content) AS banner,
           max(toUnixTimestamp64Milli(expires_at)) AS expires,
           min(at) AS sent_at,
           arrayIntersect(groupUniqArrayArray(recipients), {anonymous_ids:Array(String)}) AS browsers
    FROM messages
    WHERE site = {site:String}
      AND visitor_id IN (
          SELECT arrayJoin({anonymous_ids:Array(String)})
          UNION ALL
          SELECT person FROM identity WHERE site = {site:String} AND alias IN {anonymous_ids:Array(String)})
      AND channel = 'banner'
      AND state != 'pending'
      AND expires_at > fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC')
    GROUP BY message_id
    HAVING countIf(state != 'sent') = 0)
ARRAY JOIN browsers AS browser
WHERE owner = browser
   -- Whoever uses the browser now: what was meant for another person is not theirs to see.
   OR (browser, owner) IN (
       SELECT alias, argMax(person, learned_at)
       FROM identity
       WHERE site = {site:String} AND alias IN {anonymous_ids:Array(String)}
       GROUP BY alias)
ORDER BY sent_at, message_id
LIMIT 5 BY browser
SETTINGS max_threads = 1

-- Addresses of `identify` events that an operator imported, or for which somebody vouches, that became visible after an
-- instant; of each way to write one, the earliest.
SELECT site, JSONExtractString(props, 'traits', 'email') AS email, JSONExtractString(props, 'traits', 'phone') AS phone,
       toUnixTimestamp64Milli(min(ts))
FROM events
WHERE event = 'identify'
  AND ingested_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND (source = 'import' OR JSONHas(props, 'proven_by'))
  AND (email != '' OR phone != '')
  AND (site, email, phone) > ({site:String}, {email:String}, {phone:String})
GROUP BY site, email, phone
ORDER BY site, email, phone
LIMIT {limit:UInt32}

-- Visitors whose events may tell of an address, and those who were sent a message of which no address is stored, that
-- became visible after an instant; a page of them. Reads a few columns of all events: at the first start, and after an
-- import.
SELECT site, visitor_id
FROM (
    SELECT site, visitor_id
    FROM events
    WHERE ingested_at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
      AND (event IN ('unsubscribed', 'email_bounced', 'email_complained')
           OR (event IN ('consent', 'subscribe', 'identify') AND JSONHas(props, 'proven_by'))
           OR (event = 'consent' AND position(props, '"source":"page"') = 0))
      AND (site, visitor_id) > ({site:String}, {visitor:String})
    UNION ALL
    SELECT site, visitor_id
    FROM messages
    WHERE {since:Int64} = 0 AND state = 'sent' AND channel IN {channels:Array(String)} AND empty(addresses)
      AND (site, visitor_id) > ({site:String}, {visitor:String}))
GROUP BY site, visitor_id
ORDER BY site, visitor_id
LIMIT {limit:UInt32}

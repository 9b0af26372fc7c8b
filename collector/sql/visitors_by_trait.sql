-- Visitors whose latest `identify` event with a trait has this address. Reads every `identify` event: callbacks that
-- name an address are rare enough.
SELECT site, visitor_id
FROM (
    SELECT site, visitor_id,
           argMax(JSONExtractString(props, 'traits', {trait:String}), (ts, event_id)) AS written,
           if({trait:String} = 'phone',
              replaceRegexpOne(replaceRegexpAll(written, '\\(0\\)|[\\s()./-]', ''), '^00', '+'),
              lowerUTF8(trimBoth(written))) AS address
    FROM events
    WHERE event = 'identify' AND JSONHas(props, 'traits', {trait:String})
    GROUP BY site, visitor_id)
WHERE address = {address:String}
ORDER BY site, visitor_id
LIMIT {limit:UInt32}

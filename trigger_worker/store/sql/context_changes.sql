-- The events at which a person's surroundings changed, such as another device: between two of them the value stays. The
-- latest event that tells a value comes, too. The mark is filled by `windows.py` from our own column names.
SELECT person, field, toUnixTimestamp64Milli(ts) AS at, value, event_id
FROM (
    SELECT transform(visitor_id, {ids:Array(String)}, {persons:Array(String)}, visitor_id) AS person,
           ts, event_id, field, value,
           lagInFrame(value) OVER (PARTITION BY person, field ORDER BY ts, event_id) AS previous,
           leadInFrame(value) OVER (PARTITION BY person, field ORDER BY ts, event_id
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS following
    FROM (
        SELECT visitor_id, ts, event_id, pair.1 AS field, pair.2 AS value
        FROM events
        ARRAY JOIN [/* pairs */] AS pair
        WHERE site = {site:String}
          AND visitor_id IN {ids:Array(String)}
          AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
          AND value != ''))
WHERE value != previous OR following = ''
ORDER BY ts, event_id
SETTINGS max_threads = 1

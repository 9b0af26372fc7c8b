-- The events at which a person's surroundings changed, such as another device: between two of them the value stays.
-- The mark is filled by `windows.py` from our own column names.
SELECT person, field, toUnixTimestamp64Milli(ts) AS at, value
FROM (
    SELECT transform(visitor_id, {ids:Array(String)}, {persons:Array(String)}, visitor_id) AS person,
           ts, event_id, field, value,
           lagInFrame(value) OVER (PARTITION BY person, field ORDER BY ts, event_id) AS previous
    FROM (
        SELECT visitor_id, ts, event_id, pair.1 AS field, pair.2 AS value
        FROM events
        ARRAY JOIN [/* pairs */] AS pair
        WHERE site = {site:String}
          AND visitor_id IN {ids:Array(String)}
          AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
          AND value != ''))
WHERE value != previous
ORDER BY ts, event_id

-- The events at which a visitor's surroundings changed, such as another device: between two of them the value stays.
SELECT visitor_id, toUnixTimestamp64Milli(ts) AS at, event_id, value
FROM (
    SELECT visitor_id, ts, event_id, /* column */ AS value,
           lagInFrame(value) OVER (PARTITION BY visitor_id ORDER BY ts, event_id) AS previous
    FROM events
    WHERE site = {site:String}
      AND visitor_id IN {ids:Array(String)}
      AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
      AND value != '')
WHERE value != previous
ORDER BY at, event_id

-- Which events of these visitors are stored already, of those whose id has one of the check sums: few others have. An
-- order is known by its id, and another sender may have told of it at another time of the day.
SELECT DISTINCT visitor_id, event_id
FROM events
WHERE site = {site:String}
  AND visitor_id IN {visitors:Array(String)}
  AND ts >= {first:DateTime64(3, 'UTC')} - INTERVAL 1 DAY
  AND ts <= {last:DateTime64(3, 'UTC')} + INTERVAL 1 DAY
  AND CRC32(event_id) IN {sums:Array(UInt32)}

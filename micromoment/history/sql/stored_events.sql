-- Which events of these visitors are stored already, of those whose id has one of the check sums: few others have.
SELECT DISTINCT visitor_id, event_id
FROM events
WHERE site = {site:String}
  AND visitor_id IN {visitors:Array(String)}
  AND ts >= {first:DateTime64(3, 'UTC')}
  AND ts <= {last:DateTime64(3, 'UTC')}
  AND CRC32(event_id) IN {sums:Array(UInt32)}

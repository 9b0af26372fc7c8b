-- Which of these events are stored already.
SELECT DISTINCT event_id
FROM events
WHERE site = {site:String}
  AND visitor_id IN {visitors:Array(String)}
  AND ts >= {first:DateTime64(3, 'UTC')}
  AND ts <= {last:DateTime64(3, 'UTC')}
  AND event_id IN {events:Array(String)}

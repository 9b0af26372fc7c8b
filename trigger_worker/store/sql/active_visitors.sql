-- A page of the visitors who did something that may complete a rule within a range, and how many rows a replay of them
-- would read at most. The mark is filled by `active.py` with bound parameters.
SELECT visitor_id, count()
FROM events
WHERE site = {site:String}
  AND visitor_id > {after:String}
  AND ts >= fromUnixTimestamp64Milli({first:Int64}, 'UTC')
  AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND ({every_event:Bool} OR event IN {names:Array(String)})
GROUP BY visitor_id
HAVING countIf(/* completing */) > 0
ORDER BY visitor_id
LIMIT {limit:UInt32}

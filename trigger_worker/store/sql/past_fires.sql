-- Firings of these visitors since an instant, of some rules; none named means all. (An alias `at` would hide the column
-- from WHERE.)
SELECT visitor_id, rule, key, toUnixTimestamp64Milli(at) AS instant, fire_id,
       toUnixTimestamp64Milli(known_at) - instant AS late, visitor_id AS fired_for
FROM fires
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND (empty({rules:Array(String)}) OR rule IN {rules:Array(String)})
  AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
SETTINGS max_threads = 1

-- Firings that keep a rule from firing again for these visitors. (An alias `at` would hide the column from WHERE.)
SELECT visitor_id, rule, key, toUnixTimestamp64Milli(at) AS instant
FROM fires
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND rule IN {rules:Array(String)}
  AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')

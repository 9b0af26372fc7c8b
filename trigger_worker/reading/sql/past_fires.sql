-- Firings that keep a rule from firing again for these visitors.
SELECT visitor_id, rule, key, toUnixTimestamp64Milli(at) AS at
FROM fires
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND rule IN {rules:Array(String)}
  AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')

-- Firings of these visitors since an instant, of some rules; none named means all. (An alias `at` would hide the column
-- from WHERE.)
WITH JSONExtractString(event, 'event') AS name, JSONExtractString(event, 'order_id') AS order_id
SELECT visitor_id, rule, key, toUnixTimestamp64Milli(at) AS instant, fire_id,
       toUnixTimestamp64Milli(known_at) - instant AS late, visitor_id AS fired_for,
       multiIf(order_id = '', '', name = 'purchase', concat('purchase ', order_id),
               name = 'refund', concat('refund ', JSONExtractString(event, 'event_id')), '') AS told
FROM fires
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND (empty({rules:Array(String)}) OR rule IN {rules:Array(String)})
  AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
SETTINGS max_threads = 1

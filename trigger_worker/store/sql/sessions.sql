-- The products that were looked at in each session; without sessions, on each day.
SELECT arraySlice(arraySort(groupUniqArray(product_id)), 1, {together:UInt32}) AS products
FROM events
WHERE site = {site:String} AND event = 'view_item' AND product_id != ''
  AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY visitor_id, if(session_id = '', toString(toDate(ts)), session_id)

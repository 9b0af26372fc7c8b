-- The products of each order, whoever told of it and however often.
SELECT arraySlice(arraySort(groupUniqArrayArray(arrayFilter(product -> product != '', arrayConcat(
           [product_id], arrayMap(item -> trim(BOTH '"' FROM JSONExtractRaw(item, 'product_id')), JSONExtractArrayRaw(props, 'items'))
       )))), 1, {together:UInt32}) AS products
FROM events
WHERE site = {site:String} AND event = 'purchase'
  AND ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY if(order_id = '', (visitor_id, event_id), ('', order_id))

-- The visitor of an order: as the shop's server or an import named them, else as who told of it first. Reads the order ids of all purchases of a site:
-- refunds that name no buyer are rare enough.
SELECT anonymous_id, user_id
FROM events
WHERE site = {site:String} AND event = 'purchase' AND order_id = {order_id:String}
ORDER BY source = 'import' OR JSONExtractString(props, 'proven_by') != '' DESC, received_at, event_id
LIMIT 1

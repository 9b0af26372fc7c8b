-- The visitor of an order, as whoever told of it first named them. Reads the order ids of all purchases of a site:
-- refunds that name no buyer are rare enough.
SELECT anonymous_id, user_id
FROM events
WHERE site = {site:String} AND event = 'purchase' AND order_id = {order_id:String}
ORDER BY received_at, event_id
LIMIT 1

-- The visitor and rule of a message id, and the keyed hashes of the addresses that it was sent to. Reads the ids of all
-- messages: callbacks without a token are rare enough.
SELECT site, visitor_id, rule, arrayDistinct(arrayFlatten(groupArray(addresses)))
FROM messages
WHERE message_id = {message_id:String}
GROUP BY site, visitor_id, rule
LIMIT 1

-- The visitor and rule of a message id. Reads the ids of all messages: callbacks without a token are rare enough.
SELECT site, visitor_id, rule
FROM messages
WHERE message_id = {message_id:String}
LIMIT 1

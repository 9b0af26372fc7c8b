-- Whose message an id names. Reads the ids of all messages, which callbacks without a token are few enough for.
SELECT site, visitor_id, rule
FROM messages
WHERE message_id = {message_id:String}
LIMIT 1

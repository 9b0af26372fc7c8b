-- The keyed hashes of the addresses that a message of a site and channel was sent to, for links that do not name them.
SELECT DISTINCT address
FROM address_messages
WHERE site = {site:String} AND channel = {channel:String} AND message_id = {message_id:String}

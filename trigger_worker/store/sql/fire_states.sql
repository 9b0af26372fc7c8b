-- What became of the messages of these firings, by channel.
SELECT DISTINCT visitor_id, fire_id, channel, state
FROM messages
WHERE site = {site:String} AND visitor_id IN {ids:Array(String)} AND fire_id IN {fires:Array(String)}

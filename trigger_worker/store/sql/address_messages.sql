-- The messages that some addresses of a site were sent after an instant, each with the states that it reached.
SELECT channel, address, message_id, any(fire_id), any(rule), any(tags), any(class),
       groupArray((state, toUnixTimestamp64Milli(at)))
FROM address_messages
WHERE site = {site:String} AND channel IN {channels:Array(String)} AND address IN {addresses:Array(String)}
  AND at > fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY channel, address, message_id
SETTINGS max_threads = 1

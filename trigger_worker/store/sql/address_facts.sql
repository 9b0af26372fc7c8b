-- What is known of some addresses of a site: each fact with the latest time at which it was said.
SELECT channel, address, fact, toUnixTimestamp64Milli(max(at))
FROM address_facts
WHERE site = {site:String} AND channel IN {channels:Array(String)} AND address IN {addresses:Array(String)}
GROUP BY channel, address, fact
SETTINGS max_threads = 1

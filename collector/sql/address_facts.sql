-- What is known of an address: each fact with the latest time at which it was said.
SELECT fact, toUnixTimestamp64Milli(max(at))
FROM address_facts
WHERE site = {site:String} AND channel = {channel:String} AND address = {address:String}
GROUP BY fact

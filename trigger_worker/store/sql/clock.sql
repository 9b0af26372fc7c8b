-- The one clock that stamps the feed.
SELECT toUnixTimestamp64Milli(now64(3))

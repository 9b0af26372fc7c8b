-- Up to where a worker had read the feed.
SELECT toUnixTimestamp64Milli(max(read_to)) FROM worker_cursor WHERE worker = {worker:String} AND shard = {shard:UInt32}

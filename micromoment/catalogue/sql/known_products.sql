-- How many products of a feed there are.
SELECT count() FROM feed_products FINAL WHERE site = {site:String} AND feed = {feed:String} AND NOT is_gone

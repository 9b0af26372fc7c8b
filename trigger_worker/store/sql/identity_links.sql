-- What is known about ids: whom each was joined to, and the ids that were joined to each, the latest of them, which may
-- have moved on to another person since.
SELECT true AS is_asked, alias, person, toUnixTimestamp64Milli(learned_at) AS learned
FROM identity
WHERE site = {site:String} AND alias IN {ids:Array(String)}
UNION ALL
SELECT false AS is_asked, alias, person, toUnixTimestamp64Milli(learned_at) AS learned
FROM identity_by_person
WHERE site = {site:String} AND person IN {ids:Array(String)}
ORDER BY learned DESC, alias
LIMIT {limit:UInt32} BY person
SETTINGS max_threads = 1

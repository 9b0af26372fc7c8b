-- What is known about ids: whom each was joined to, and the ids that were joined to each, which may have moved on to
-- another person since. Of many the latest, and beside them those under which somebody said no, the earliest of these:
-- joining any number of ids to a person must not make a refusal be forgotten.
SELECT true AS is_asked, alias, person, toUnixTimestamp64Milli(learned_at) AS learned
FROM identity
WHERE site = {site:String} AND alias IN {ids:Array(String)}
UNION ALL
SELECT false AS is_asked, alias, person, toUnixTimestamp64Milli(learned_at) AS learned
FROM (
    SELECT alias, person, learned_at, alias IN (
               SELECT visitor_id FROM refusing_ids
               WHERE site = {site:String} AND visitor_id IN (
                   SELECT alias FROM identity_by_person WHERE site = {site:String} AND person IN {ids:Array(String)})
           ) AS refuses
    FROM identity_by_person
    WHERE site = {site:String} AND person IN {ids:Array(String)})
ORDER BY if(refuses, learned, -learned), alias
LIMIT {limit:UInt32} BY person, refuses
SETTINGS max_threads = 1

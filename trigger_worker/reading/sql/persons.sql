-- The person that each of these ids belongs to, where one is known.
SELECT alias, argMax(person, learned_at) AS person
FROM identity
WHERE site = {site:String} AND alias IN {ids:Array(String)}
GROUP BY alias

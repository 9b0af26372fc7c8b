-- The ids that belong to these persons, the latest of each; one that has since moved to another person is left out.
SELECT alias, argMax(person, learned_at) AS owner
FROM identity
WHERE site = {site:String}
  AND alias IN (
      SELECT alias FROM identity_by_person
      WHERE site = {site:String} AND person IN {ids:Array(String)}
      ORDER BY learned_at DESC, alias
      LIMIT {limit:UInt32} BY person)
GROUP BY alias
HAVING owner IN {ids:Array(String)}

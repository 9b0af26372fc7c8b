-- Ids joined to people who have more of them than are read, under which somebody said no: joining any number of ids to a
-- person must not make a refusal be forgotten. Of many the earliest.
SELECT alias, person
FROM identity_by_person
WHERE site = {site:String} AND person IN {ids:Array(String)}
  AND alias IN (
      SELECT visitor_id FROM refusing_ids
      WHERE site = {site:String} AND visitor_id IN (
          SELECT alias FROM identity_by_person WHERE site = {site:String} AND person IN {ids:Array(String)}))
ORDER BY learned_at, alias
LIMIT {limit:UInt32} BY person
SETTINGS max_threads = 1

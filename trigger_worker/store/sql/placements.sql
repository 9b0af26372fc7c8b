-- The arm that each of some visitors met first, and whether they were held out, by rule and version: as the results
-- count them. (Aliases that are columns would hide those from WHERE.)
SELECT visitor_id, rule, version,
       argMin(arm, (decided_at, message_id)) AS met,
       argMin(reason = 'holdout', (decided_at, message_id)) AS held_out,
       min(decided_at) AS since
FROM decisions
INNER JOIN (
    SELECT DISTINCT fire_id, version
    FROM fires
    WHERE site = {site:String} AND visitor_id IN {ids:Array(String)} AND rule IN {rules:Array(String)}) AS fired
    USING (fire_id)
WHERE site = {site:String}
  AND visitor_id IN {ids:Array(String)}
  AND rule IN {rules:Array(String)}
  AND reason NOT IN {before_holdout:Array(String)}
  AND NOT (reason = 'holdout' AND JSONExtractString(detail, 'holdout') = 'global')
GROUP BY rule, version, visitor_id
ORDER BY since
SETTINGS max_threads = 1

-- Those of some firings that a newer one of the same rule, person and key has overtaken, each with the newest.
SELECT person, fire_id, newest
FROM (
    SELECT person, fire_id, at AS fired,
           argMax(fire_id, (fired, fire_id)) OVER (PARTITION BY person, rule, key) AS newest,
           max(fired) OVER (PARTITION BY person, rule, key) AS latest
    FROM (
        SELECT fire_id, rule, key, at, transform(visitor_id, {ids:Array(String)}, {persons:Array(String)}, '') AS person
        FROM fires
        WHERE site = {site:String}
          AND visitor_id IN {ids:Array(String)}
          AND rule IN (
              SELECT rule FROM fires
              WHERE site = {site:String} AND visitor_id IN {ids:Array(String)} AND fire_id IN {fires:Array(String)})))
WHERE fired < latest AND fire_id IN {fires:Array(String)}

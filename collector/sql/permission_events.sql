-- The latest 200 answers of a person about messages, and as many that traits may give, oldest first, under any of the person's ids.
WITH (SELECT if(count() = 0, {visitor_id:String}, argMax(person, learned_at))
      FROM identity WHERE site = {site:String} AND alias = {visitor_id:String}) AS owner
SELECT event, props
FROM (
    SELECT event, props, ts, event_id
    FROM events
    WHERE site = {site:String}
      AND visitor_id IN (
          SELECT owner
          UNION ALL
          SELECT alias FROM identity
          WHERE site = {site:String}
            AND alias IN (SELECT alias FROM identity_by_person WHERE site = {site:String} AND person = owner)
          GROUP BY alias
          HAVING argMax(person, learned_at) = owner)
      AND (event IN ('consent', 'subscribe', 'unsubscribed')
           -- Of `identify`, those whose traits may be an answer, whatever it is called.
           OR (event = 'identify' AND match(props, '(?i)consent|subscri|accepts|opt|marketing|contact')))
    ORDER BY ts DESC, event_id DESC
    -- However often traits are told, they crowd out no answer.
    LIMIT 200 BY event = 'identify')
ORDER BY ts, event_id

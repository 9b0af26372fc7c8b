-- The latest 200 answers of a person about messages, oldest first, under any of the person's ids.
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
      AND event IN ('consent', 'subscribe', 'unsubscribed')
    ORDER BY ts DESC, event_id DESC
    LIMIT 200)
ORDER BY ts, event_id

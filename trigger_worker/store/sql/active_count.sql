-- How many visitors did something that may complete a rule within a range. The mark is filled as in
-- active_visitors.sql.
SELECT site, uniqExact(visitor_id)
FROM events
WHERE (/* completing */)
GROUP BY site
ORDER BY site

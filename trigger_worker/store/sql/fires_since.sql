-- How often each rule fired since an instant. (An alias `at` would hide the column from WHERE.)
SELECT rule, uniqExact(fire_id)
FROM fires
WHERE at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY rule

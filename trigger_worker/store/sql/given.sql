-- The code that each visitor has of each rule; of several, after a doubtful answer, the earliest.
SELECT visitor_id, rule, tupleElement(first, 1) AS at, tupleElement(first, 2) AS given
FROM
(
    SELECT visitor_id, rule, min((toUnixTimestamp64Milli(assigned_at), code)) AS first
    FROM coupon_assignments
    WHERE site = {site:String} AND pool = {pool:String} AND visitor_id IN {ids:Array(String)}
    GROUP BY visitor_id, rule
)

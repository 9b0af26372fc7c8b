-- The codes of a pool that nobody can get any more: those that were given out, and those that somebody used.
SELECT DISTINCT code
FROM
(
    SELECT code FROM coupon_assignments WHERE site = {site:String} AND pool = {pool:String}
    UNION ALL
    SELECT coupon AS code FROM events WHERE site = {site:String} AND event = 'purchase' AND coupon != ''
)

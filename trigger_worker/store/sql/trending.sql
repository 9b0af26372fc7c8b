-- What more people look at in the last day than on an average day of the week before, by the excess in standard
-- deviations of a Poisson count; 1 is added, so that a product nobody looked at before does not divide by nothing.
SELECT product_id
FROM
(
    SELECT product_id,
           uniqExactIf(visitor_id, ts > fromUnixTimestamp64Milli({day:Int64}, 'UTC')) AS today,
           uniqExactIf((visitor_id, toDate(ts)), ts <= fromUnixTimestamp64Milli({day:Int64}, 'UTC')) / 7 AS usual
    FROM events
    WHERE site = {site:String} AND event = 'view_item' AND product_id != ''
      AND ts > fromUnixTimestamp64Milli({week:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    GROUP BY product_id
)
WHERE today >= {support:UInt32} AND today > usual
ORDER BY (today - usual) / sqrt(usual + 1) DESC, today DESC, product_id
LIMIT {related:UInt32}

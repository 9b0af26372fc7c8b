-- Which visitor was given which code of a pool, by which rule: one for a visitor and a rule, the earliest.
CREATE TABLE IF NOT EXISTS coupon_assignments
(
    site        LowCardinality(String),
    pool        LowCardinality(String) COMMENT 'the file of the coupons folder, without its ending',
    rule        LowCardinality(String),
    visitor_id  String,
    code        String,
    assigned_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(assigned_at)
ORDER BY (site, pool, visitor_id, rule, code)
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000;

-- The same, with the purchase that first named the code, whoever made it.
CREATE VIEW IF NOT EXISTS coupons AS
SELECT given.site AS site, pool, rule, visitor_id, code, assigned_at, redeemed_at, order_id, redeemed_by
FROM (SELECT * FROM coupon_assignments FINAL) AS given
LEFT JOIN
(
    SELECT site, upper(coupon) AS used, toNullable(min(ts)) AS redeemed_at, argMin(events.order_id, ts) AS order_id,
           argMin(events.visitor_id, ts) AS redeemed_by
    FROM events
    WHERE event = 'purchase' AND coupon != ''
    GROUP BY site, used
) AS redeemed ON given.site = redeemed.site AND upper(given.code) = redeemed.used;

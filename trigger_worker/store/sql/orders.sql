-- Every order once, whoever told of it and however often, with what was paid back until an instant: what the view `orders`
-- says, as of then. Its value is that of the earliest telling that has one; what the shop's server or an import told
-- goes before what pages told. A refund counts when these told of it, or a person who told of the order; one without
-- a value pays back the whole order.
WITH
    told AS (
        SELECT e.site AS site, e.order_id AS order_id, e.event AS event, e.event_id AS event_id, e.ts AS ts,
               e.value AS value, toString(e.currency) AS currency,
               if(o.person = '', e.visitor_id, o.person) AS person,
               e.source = 'import' OR JSONExtractString(e.props, 'proven_by') != '' AS is_proven
        FROM events AS e
        LEFT JOIN people AS o ON o.site = e.site AND o.alias = e.visitor_id
        WHERE e.event IN ('purchase', 'refund') AND e.order_id != ''
          AND e.ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')),
    bought AS (
        SELECT site, order_id, min(ts) AS first_ts,
               argMin(person, (NOT is_proven, ts, event_id)) AS buyer,
               groupUniqArray(person) AS tellers,
               countIf(isNotNull(value)) > 0 AS is_valued,
               argMinIf(ifNull(value, 0), (NOT is_proven, ts, event_id), isNotNull(value)) AS amount,
               argMinIf(currency, (NOT is_proven, ts, event_id), isNotNull(value)) AS unit
        FROM told
        WHERE event = 'purchase'
        GROUP BY site, order_id),
    refunds AS (
        SELECT r.site AS site, r.order_id AS order_id, any(abs(r.value)) AS amount, any(r.currency) AS unit
        FROM told AS r
        INNER JOIN bought AS b ON b.site = r.site AND b.order_id = r.order_id
        WHERE r.event = 'refund' AND (r.is_proven OR has(b.tellers, r.person))
        GROUP BY r.site, r.order_id, r.event_id),
    paid_back AS (
        SELECT r.site AS site, r.order_id AS order_id,
               if(countIf(isNull(r.amount)) > 0, b.amount, sumIf(ifNull(r.amount, 0), r.unit IN ('', b.unit))) AS back
        FROM refunds AS r
        INNER JOIN bought AS b ON b.site = r.site AND b.order_id = r.order_id
        GROUP BY r.site, r.order_id, b.amount)
SELECT b.site AS site, b.order_id AS order_id,
       if(b.is_valued, b.amount, NULL) AS value,
       b.unit AS currency,
       if(b.is_valued, greatest(0, least(b.amount, p.back)), NULL) AS refunded,
       if(b.is_valued, greatest(0, b.amount - p.back), NULL) AS net,
       b.first_ts AS first_ts,
       b.buyer AS visitor_id
FROM bought AS b
LEFT JOIN paid_back AS p ON p.site = b.site AND p.order_id = b.order_id

-- Every order once, whoever told of it and however often, with what was paid back until an instant: what the view `orders`
-- says, as of then. Its value is that of the earliest telling that has one; what the shop's server or an import told
-- goes before what pages told. A refund counts when these told of it, or a person who told of the order; one without
-- a value pays back the whole order.
SELECT site, order_id,
       if(is_valued, amount, NULL) AS value,
       unit AS currency,
       if(is_valued, greatest(0, least(amount, back)), NULL) AS refunded,
       if(is_valued, greatest(0, amount - back), NULL) AS net,
       first_ts,
       buyer AS visitor_id
FROM (
    SELECT site, order_id, first_ts, buyer, is_valued, amount, unit,
           arrayFilter(refund -> refund.5 OR has(tellers, refund.4), refunds) AS believed,
           -- Of several rows of one refund, which agree, the first.
           arrayFilter((refund, id, place) -> indexOf(arrayMap(each -> each.1, believed), id) = place,
                       believed, arrayMap(refund -> refund.1, believed), arrayEnumerate(believed)) AS counted,
           if(arrayExists(refund -> isNull(refund.2), counted), amount,
              arraySum(refund -> if(refund.3 IN ('', unit), ifNull(refund.2, 0), 0), counted)) AS back
    FROM (
        SELECT site, order_id,
               minIf(ts, is_purchase) AS first_ts,
               argMinIf(person, place, is_purchase) AS buyer,
               groupUniqArrayIf(person, is_purchase) AS tellers,
               countIf(is_purchase AND isNotNull(value)) > 0 AS is_valued,
               argMinIf(ifNull(value, 0), place, is_purchase AND isNotNull(value)) AS amount,
               argMinIf(currency, place, is_purchase AND isNotNull(value)) AS unit,
               groupArrayIf((event_id, abs(value), currency, person, is_proven), NOT is_purchase) AS refunds
        FROM (
            SELECT e.site AS site, e.order_id AS order_id, e.event = 'purchase' AS is_purchase, e.ts AS ts,
                   e.event_id AS event_id, e.value AS value, toString(e.currency) AS currency,
                   if(o.person = '', e.visitor_id, o.person) AS person,
                   e.source = 'import' OR JSONExtractString(e.props, 'proven_by') != '' AS is_proven,
                   (NOT is_proven, ts, event_id) AS place
            FROM events AS e
            LEFT JOIN people AS o ON o.site = e.site AND o.alias = e.visitor_id
            WHERE e.event IN ('purchase', 'refund') AND e.order_id != ''
              AND e.ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC'))
        GROUP BY site, order_id
        HAVING countIf(is_purchase) > 0))

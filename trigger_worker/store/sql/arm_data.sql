-- The sufficient statistics of an experiment's arms. A person is exposed once, by the first decision on a message of
-- the rule's version that came as far as the holdout: what stops a message before it stops held-out visitors alike.
-- An order counts once, at its first telling of a person, and for one person: for the one whom the shop's server or an
-- import names, else for whoever told first. What it brought is its value less what was paid back, by currency.
-- The marks are filled by `arm_data.py`, from our own column names, bound parameters, and `orders.sql`.
WITH
    exposed AS (
        SELECT d.site AS site,
               if(p.person = '', d.visitor_id, p.person) AS visitor,
               min(d.decided_at) AS exposed_at,
               argMin(if(d.reason = 'holdout', {holdout:String}, if(d.arm = '', {treated:String}, d.arm)),
                      (d.decided_at, d.message_id)) AS arm
        FROM decisions AS d
        LEFT JOIN people AS p ON p.site = d.site AND p.alias = d.visitor_id
        WHERE d.rule = {rule:String}
          AND d.decided_at <= fromUnixTimestamp64Milli({exposed_until:Int64}, 'UTC')
          AND d.reason NOT IN {before_holdout:Array(String)}
          AND NOT (d.reason = 'holdout' AND JSONExtractString(d.detail, 'holdout') = 'global')
          AND d.fire_id IN (
              SELECT fire_id FROM fires WHERE rule = {rule:String} AND version = {version:String})
        GROUP BY site, visitor),
    (SELECT min(exposed_at) FROM exposed) AS first_exposure,
    told AS (
        SELECT e.site AS site,
               if(p.person = '', e.visitor_id, p.person) AS visitor,
               if(e.event = 'purchase', e.order_id, '') AS order_id,
               e.event_id AS event_id,
               e.ts AS ts,
               (/* goal */) AS is_goal,
               if(e.event = 'purchase', e.value, NULL) AS value,
               toString(e.currency) AS currency,
               e.source = 'import' OR JSONExtractString(e.props, 'proven_by') != '' AS is_proven
        FROM events AS e
        LEFT JOIN people AS p ON p.site = e.site AND p.alias = e.visitor_id
        WHERE (/* goal_events */ OR e.event = 'purchase')
          -- An order may have been told before anybody was exposed, and again afterwards.
          AND e.ts > first_exposure - toIntervalMillisecond(if(e.event = 'purchase', {orders:Int64}, 0))
          AND e.ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')),
    outcomes AS (
        SELECT site, visitor, order_id, if(order_id = '', event_id, '') AS own_id,
               min(ts) AS at,
               argMin(is_goal, (ts, event_id)) AS reached,
               any(value) AS amount,
               argMinIf(currency, (ts, event_id), isNotNull(value)) AS unit,
               min((NOT is_proven, ts, event_id)) AS place
        FROM told
        WHERE (site, visitor) IN (SELECT site, visitor FROM exposed)
        GROUP BY site, visitor, order_id, own_id),
    -- Whoever an order counts for comes first among the people who told of it.
    placed AS (
        SELECT site, visitor, order_id, at, reached, amount, unit,
               row_number() OVER (
                   PARTITION BY site, order_id, if(order_id = '', (visitor, own_id), ('', '')) ORDER BY place, visitor
               ) AS nth
        FROM outcomes),
    counted AS (
        SELECT placed.site AS site, placed.visitor AS visitor, placed.at AS at, placed.reached AS reached,
               if(placed.order_id = '', placed.amount, o.net) AS spent,
               if(placed.order_id = '', placed.unit, o.currency) AS currency
        FROM placed
        LEFT JOIN (/* orders */) AS o ON o.site = placed.site AND o.order_id = placed.order_id
        WHERE placed.nth = 1)
SELECT arm, visitors, conversions, currency, revenue, squares
FROM (
    SELECT arm, count() AS visitors, sum(converted) AS conversions,
           sumMap(spending.1, spending.2, arrayMap(amount -> amount * amount, spending.2)) AS sums
    FROM (
        SELECT exposed.site, exposed.visitor, any(exposed.arm) AS arm,
               max(reached AND counted.at > exposed_at
                   AND counted.at <= exposed_at + toIntervalMillisecond({window:Int64})) AS converted,
               sumMapIf([counted.currency], [ifNull(counted.spent, 0)],
                   counted.at > exposed_at AND counted.at <= exposed_at + toIntervalMillisecond({window:Int64})
                   AND isNotNull(counted.spent)) AS spending
        FROM exposed
        LEFT JOIN counted ON counted.site = exposed.site AND counted.visitor = exposed.visitor
        GROUP BY exposed.site, exposed.visitor)
    GROUP BY arm)
LEFT ARRAY JOIN sums.1 AS currency, sums.2 AS revenue, sums.3 AS squares
ORDER BY arm, currency

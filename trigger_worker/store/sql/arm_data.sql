-- The sufficient statistics of an experiment's arms. A person is exposed once, by the first decision on a message of
-- the rule's version that came as far as the holdout: what stops a message before it stops held-out visitors alike.
-- The marks are filled by `arm_data.py`, from our own column names and bound parameters.
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
    outcomes AS (
        SELECT e.site AS site,
               if(p.person = '', e.visitor_id, p.person) AS visitor,
               any(e.ts) AS at,
               any(/* goal */) AS is_goal,
               any(if(e.event = 'purchase', ifNull(e.value, 0), 0)) AS spent
        FROM events AS e
        LEFT JOIN people AS p ON p.site = e.site AND p.alias = e.visitor_id
        WHERE (/* goal_events */ OR e.event = 'purchase')
          AND e.ts > (SELECT min(exposed_at) FROM exposed)
          AND e.ts <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        GROUP BY site, visitor, e.event_id)
SELECT arm, count() AS visitors, sum(converted) AS conversions, sum(spent) AS revenue, sum(spent * spent) AS squares
FROM (
    SELECT exposed.site, exposed.visitor, any(exposed.arm) AS arm,
           max(is_goal AND at > exposed_at AND at <= exposed_at + toIntervalMillisecond({window:Int64})) AS converted,
           sum(if(at > exposed_at AND at <= exposed_at + toIntervalMillisecond({window:Int64}), outcomes.spent, 0))
               AS spent
    FROM exposed
    LEFT JOIN outcomes ON outcomes.site = exposed.site AND outcomes.visitor = exposed.visitor
    GROUP BY exposed.site, exposed.visitor)
GROUP BY arm
ORDER BY arm

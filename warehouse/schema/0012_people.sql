-- The person of every id, through chains of joins, of 128 at most: `identity` holds single joins, of which one may lead on
-- to the next. Ids that were joined in a circle are one person, under the first of them in alphabetical order.
CREATE VIEW IF NOT EXISTS people AS
SELECT single.site AS site, single.alias AS alias, if(chains.person = '', single.person, chains.person) AS person
FROM (
    SELECT site, alias, argMax(person, (learned_at, person)) AS person
    FROM identity
    GROUP BY site, alias) AS single
LEFT JOIN (
    WITH RECURSIVE
        onward AS (
            SELECT site, alias, argMax(person, (learned_at, person)) AS person
            FROM identity
            WHERE alias IN (SELECT person FROM identity)
            GROUP BY site, alias),
        walk AS (
            SELECT site, alias, [alias, person] AS ids
            FROM onward
            UNION ALL
            SELECT walk.site, walk.alias, arrayPushBack(walk.ids, onward.person)
            FROM walk
            INNER JOIN onward ON onward.site = walk.site AND onward.alias = walk.ids[-1]
            WHERE length(walk.ids) <= 128 AND indexOf(walk.ids, walk.ids[-1]) = length(walk.ids))
    SELECT site, alias,
           argMax(ids, length(ids)) AS longest,
           arrayMin(arraySlice(longest, indexOf(longest, longest[-1]))) AS first_of_circle,
           if(indexOf(longest, longest[-1]) = length(longest), longest[-1], first_of_circle) AS person
    FROM walk
    GROUP BY site, alias) AS chains ON chains.site = single.site AND chains.alias = single.person

-- The sites that know an id: by events, or as another id of a person.
SELECT DISTINCT site
FROM (
    SELECT site FROM events WHERE visitor_id = {visitor:String}
    UNION ALL
    SELECT site FROM identity WHERE alias = {visitor:String} OR person = {visitor:String})
ORDER BY site

-- What visitors did with messages: each of these events moves its message to a state, if the message is theirs.
INSERT INTO messages
    (message_id, fire_id, site, rule, version, visitor_id, channel, template, tags, class,
     state, at, due_at, expires_at, recipients, content, detail, retries, addresses)
SELECT m.message_id, m.fire_id, m.site, m.rule, m.version, m.visitor_id, m.channel, m.template, m.tags, m.class,
       transform(e.event, {names:Array(String)}, {states:Array(String)}, '') AS state,
       e.ts, m.due_at, m.expires_at, [], '',
       -- Pages say why a banner went, or never came.
       if(e.reason = '', '', concat('{"reason":', toJSONString(substringUTF8(e.reason, 1, 100)), '}')), m.retries,
       m.addresses
FROM (
    SELECT site, visitor_id, event, ts, message_id, JSONExtractString(props, 'reason') AS reason
    FROM events
    WHERE site = {site:String} AND visitor_id IN {ids:Array(String)} AND event_id IN {events:Array(String)}
      AND message_id != ''
      -- A mail service that fetches every picture ahead, and a scanner that follows every link, read nothing.
      AND NOT JSONExtractBool(props, 'machine')
    LIMIT 1 BY visitor_id, event_id) AS e
INNER JOIN (
    SELECT * FROM messages
    WHERE site = {site:String} AND visitor_id IN {owners:Array(String)} AND state = 'sent'
    LIMIT 1 BY message_id) AS m ON m.message_id = e.message_id
WHERE state != ''
  -- A failure from before it was sent was overcome by another attempt.
  AND (state != 'failed' OR e.ts >= m.at)
  -- What another person does at a browser that the message went to is not the doing of its person, as memory knows it.
  AND transform(m.visitor_id, {owners:Array(String)}, {persons:Array(String)}, m.visitor_id)
      = transform(e.visitor_id, {owners:Array(String)}, {persons:Array(String)}, e.visitor_id)

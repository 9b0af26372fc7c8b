"""From a firing to the messages that it asks for."""

from __future__ import annotations

from trigger_worker.records import Fire, QueuedMessage, message_id
from trigger_worker.rules.model import Rule


def queue_messages(rule: Rule, fire: Fire) -> list[QueuedMessage]:
    """Return the messages of a firing, each with the time at which it is due and after which it is worthless."""
    messages = []
    for position, entry in enumerate(rule.send):
        due_at = fire.at + entry.after_ms
        messages.append(
            QueuedMessage(
                message_id=message_id(fire.fire_id, position),
                fire_id=fire.fire_id,
                site=fire.site,
                rule=rule.id,
                version=rule.version,
                visitor_id=fire.visitor_id,
                channel=entry.channel,
                template=entry.template,
                position=position,
                tags=entry.tags,
                message_class=rule.message_class,
                priority=rule.priority,
                fired_at=fire.at,
                due_at=due_at,
                expires_at=due_at + rule.ttl_ms,
                attempts=0,
                event=fire.event,
            )
        )
    return messages

"""Turn a firing into the messages that its rule asks for, each with the time at which it is due."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from trigger_worker.rules.evaluate.calendar import local_time
from trigger_worker.rules.model import Rule, SendEntry
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import QueuedMessage, message_id
from warehouse.event import epoch_ms


def lifetime(rule: Rule, entry: SendEntry, fired_at: int) -> tuple[int, int]:
    """Return when a message of a firing is due, and from when on it is worth nothing, both epoch ms."""
    due_at = fired_at + entry.after_ms
    return due_at, due_at + rule.ttl_ms


def queue_messages(rule: Rule, fire: Fire, now_ms: int) -> list[QueuedMessage]:
    """Return the messages of a firing.

    Args:
        rule: the rule that fired.
        fire: the firing.
        now_ms: when the messages are recorded, epoch ms.
    """
    messages = []
    for position, entry in enumerate(rule.send):
        due_at, expires_at = lifetime(rule, entry, fire.at)
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
                expires_at=expires_at,
                attempts=0,
                event=fire.event,
                recorded_at=now_ms,
            )
        )
    return messages


def next_local_time(minute: int, now_ms: int, zone_name: str) -> int:
    """Return the instant (epoch ms) at which a clock in the zone next shows a time; now counts.

    A time that the clock shows twice in autumn comes twice; one that it skips in spring is taken as much later as the
    clock skips, which is the hour after it in most zones.

    Args:
        minute: minutes after local midnight.
        now_ms: epoch ms.
        zone_name: a name of the tz database; an unknown zone is read as UTC.
    """
    today = local_time(now_ms, zone_name)
    wall = time(minute // 60, minute % 60)
    # From yesterday on: what a clock skips at midnight comes on the day after.
    days = [datetime.combine(today.date() + timedelta(day), wall, today.tzinfo) for day in range(-1, 3)]
    return min(at for day in days for at in _instants(day, zone_name) if at >= now_ms)


def _instants(wall: datetime, zone_name: str) -> list[int]:
    """Return the instants (epoch ms) at which a clock shows a time of a day: one, or two where it is set back."""
    first, second = epoch_ms(wall), epoch_ms(wall.replace(fold=1))
    # Of a time that is skipped, the second reading lies before the gap, and shows another time.
    is_twice = second > first and local_time(second, zone_name).replace(tzinfo=None) == wall.replace(tzinfo=None)
    return [first, second] if is_twice else [first]

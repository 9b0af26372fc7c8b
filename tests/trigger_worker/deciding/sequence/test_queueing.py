"""The messages that a firing asks for."""

from __future__ import annotations

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, fire
from trigger_worker.deciding.sequence.queueing import queue_messages

RULE = rule(
    """
when: hover
ttl: 1h
priority: 70
class: transactional
send:
  - banner: bar
  - email: reminder
    after: 4h
    tags: [discount]
"""
)


def test_each_entry_becomes_a_message_with_its_own_times() -> None:
    banner, email = queue_messages(RULE, fire(), NOON)
    assert (banner.channel, banner.template, banner.position) == ("banner", "bar", 0)
    assert (banner.due_at, banner.expires_at) == (NOON, NOON + 3_600_000)
    assert (email.channel, email.template, email.position, email.tags) == ("email", "reminder", 1, ("discount",))
    assert (email.due_at, email.expires_at) == (NOON + 4 * 3_600_000, NOON + 5 * 3_600_000)
    for message in (banner, email):
        assert (message.priority, message.message_class, message.attempts) == (70, "transactional", 0)
        assert (message.fire_id, message.visitor_id, message.fired_at) == ("fire-1", "anna", NOON)
        assert (message.rule, message.version, message.event) == ("r", RULE.version, fire().event)


def test_the_ids_follow_from_the_firing_and_the_place_in_the_rule() -> None:
    first, again, other = (
        queue_messages(RULE, fire(), NOON),
        queue_messages(RULE, fire(), NOON),
        queue_messages(RULE, fire("fire-2"), NOON),
    )
    assert [one.message_id for one in first] == [one.message_id for one in again]
    assert len({one.message_id for one in (*first, *other)}) == 4


def test_a_rule_that_sends_nothing_asks_for_nothing() -> None:
    assert queue_messages(rule("when: hover"), fire(), NOON) == []

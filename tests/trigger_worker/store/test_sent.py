"""Messages that people were sent, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence

import pytest

from tests.trigger_worker.stored import NOON, event_row, person, queued, store
from trigger_worker.people.state import PersonState
from trigger_worker.store.feed import read_news
from trigger_worker.store.message import MessageRecord, MessageState, QueuedMessage
from trigger_worker.store.people import Person
from trigger_worker.store.records import Records
from trigger_worker.store.sent import SentMessage, read_messages, record_outcomes
from warehouse.connection import Warehouse

ANNA = person("u1", "phone")


def reached(warehouse: Warehouse, message: QueuedMessage, *states: MessageState, at: int = NOON) -> None:
    """Store states of a message, one a second."""
    records = [MessageRecord(message, state, at + second * 1000) for second, state in enumerate(states)]
    Records(warehouse).store_messages(records)


def read_sent(
    warehouse: Warehouse, people: Sequence[Person], since: int, but_not: Container[str] = ()
) -> dict[Person, list[SentMessage]]:
    """Return what people were sent, as the states that are read of them tell it."""
    messages = read_messages(warehouse, people, 0)
    return {
        who: sorted(
            (PersonState(who, messages=messages[who]).sent(since, but_not).values()), key=lambda sent: sent.at_ms
        )
        for who in people
    }


def read_fire_facts(warehouse: Warehouse, fire_id: str) -> dict[str, bool]:
    """Return what became of a firing of Anna's."""
    return PersonState(ANNA, messages=read_messages(warehouse, [ANNA], 0)[ANNA]).fire_facts(fire_id)


def test_what_was_sent_is_told_oldest_first_with_what_came_of_it(warehouse: Warehouse) -> None:
    reached(warehouse, queued("b", visitor_id="u1", channel="email"), "pending", "sent", at=NOON + 60_000)
    reached(warehouse, queued("a", visitor_id="phone"), "pending", "sent", "shown", "clicked")
    reached(warehouse, queued("waits", visitor_id="u1"), "pending")
    reached(warehouse, queued("failed", visitor_id="u1"), "pending", "failed")
    reached(warehouse, queued("elsewhere", visitor_id="u1", site="other"), "sent")
    reached(warehouse, queued("bobs", visitor_id="bob"), "sent")
    first, second = read_sent(warehouse, [ANNA], NOON)[ANNA]
    assert (first.channel, first.rule, first.at_ms, first.shown, first.clicked) == (
        "banner",
        "lingers",
        NOON + 1000,
        True,
        True,
    )
    assert (first.tags, first.message_class) == (frozenset({"discount"}), "marketing")
    assert (second.channel, second.at_ms, second.shown, second.clicked) == ("email", NOON + 61_000, False, False)


def test_what_was_sent_earlier_or_is_passed_over_is_not_told(warehouse: Warehouse) -> None:
    for name, at in (("early", NOON), ("late", NOON + 1), ("passed_over", NOON + 1)):
        reached(warehouse, queued(name, visitor_id="u1"), "sent", "shown", at=at)
    found = read_sent(warehouse, [ANNA, person("bob")], NOON, but_not={"passed_over"})
    assert [message.at_ms for message in found[ANNA]] == [NOON + 1]
    assert found[person("bob")] == []


def test_messages_that_were_due_by_then_are_not_read(warehouse: Warehouse) -> None:
    for name, due_at in (("by_then", NOON - 1000), ("later", NOON - 999)):
        reached(warehouse, queued(name, visitor_id="u1", due_at=due_at), "sent", "shown")
    (found,) = read_messages(warehouse, [ANNA], NOON - 1000)[ANNA]
    assert (found.message_id, found.fire_id, found.states) == ("later", "fire-1", {"sent": NOON, "shown": NOON + 1000})


def test_more_people_than_fit_into_one_question_are_asked_about(embedded_warehouse: Warehouse) -> None:
    crowd = [person(f"{number:03d}{'x' * 300}") for number in range(300)]
    reached(embedded_warehouse, queued("m1", visitor_id=crowd[-1].visitor_id), "sent")
    found = read_sent(embedded_warehouse, crowd, NOON - 1)
    assert [len(found[one]) for one in crowd] == [0] * 299 + [1]


def test_what_became_of_a_firing_is_told_by_channel(warehouse: Warehouse) -> None:
    reached(warehouse, queued("a", visitor_id="phone", fire_id="f1", channel="email"), "sent", "opened")
    reached(warehouse, queued("b", visitor_id="u1", fire_id="f1"), "pending")
    reached(warehouse, queued("c", visitor_id="u1", fire_id="f2"), "sent", "clicked")
    reached(warehouse, queued("d", visitor_id="bob", fire_id="f1"), "dismissed")
    expected = ("sent(email)", "opened(email)", "delivered(email)", "pending(banner)")
    assert read_fire_facts(warehouse, "f1") == dict.fromkeys(expected, True)


@pytest.mark.parametrize(
    ("channel", "state", "proven"),
    [
        ("email", "sent", {"sent"}),
        ("email", "clicked", {"clicked", "opened", "shown", "delivered"}),
        ("banner", "dismissed", {"dismissed", "shown", "delivered"}),
        ("sms", "delivered", {"delivered"}),
        ("webhook", "sent", {"sent", "delivered"}),
        ("chat", "sent", {"sent", "delivered"}),
    ],
)
def test_what_proves_more_proves_less(
    embedded_warehouse: Warehouse, channel: str, state: MessageState, proven: set[str]
) -> None:
    reached(embedded_warehouse, queued("a", visitor_id="u1", channel=channel), state)
    facts = read_fire_facts(embedded_warehouse, "fire-1")
    assert facts == {f"{name}({channel})": True for name in proven}


def sent(
    warehouse: Warehouse, message_id: str = "message-1", recipients: tuple[str, ...] = ("phone",), **changes: str
) -> None:
    Records(warehouse).store_messages([MessageRecord(queued(message_id, **changes), "sent", NOON, recipients)])


def reported(warehouse: Warehouse) -> set[tuple[str, str]]:
    """Record what the feed has, and return (message, state) of each state but `sent`."""
    record_outcomes(warehouse, list(read_news(warehouse, NOON, NOON + 60_000)))
    return set(warehouse.query("SELECT message_id, state FROM messages FINAL WHERE state != 'sent'"))


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ("message_delivered", "delivered"),
        ("message_shown", "shown"),
        ("message_clicked", "clicked"),
        ("message_failed", "failed"),
        ("message_dismissed", "dismissed"),
        ("email_opened", "opened"),
        ("email_clicked", "clicked"),
    ],
)
def test_an_event_about_a_message_moves_it_to_a_state(warehouse: Warehouse, event: str, state: str) -> None:
    sent(warehouse)
    store(warehouse, event_row(event, "anna", NOON + 5, message_id="message-1"))
    assert reported(warehouse) == {("message-1", state)}
    ((at,),) = warehouse.query("SELECT toUnixTimestamp64Milli(at) FROM messages WHERE state != 'sent'")
    assert at == NOON + 5


def test_why_a_banner_was_not_shown_is_kept(warehouse: Warehouse) -> None:
    sent(warehouse)
    store(warehouse, event_row("message_failed", "anna", NOON + 5, message_id="message-1", reason='no "slot"'))
    assert reported(warehouse) == {("message-1", "failed")}
    ((detail,),) = warehouse.query("SELECT detail FROM messages WHERE state = 'failed'")
    assert json.loads(detail) == {"reason": 'no "slot"'}


def test_a_browser_that_the_banner_went_to_reports_it_under_any_id(warehouse: Warehouse) -> None:
    sent(warehouse, visitor_id="u1")
    store(warehouse, event_row("identify", "phone", user="u1"))
    store(warehouse, event_row("message_shown", "phone", message_id="message-1"))
    assert reported(warehouse) == {("message-1", "shown")}


def test_a_browser_that_is_another_persons_by_now_moves_nothing_whoever_reports_beside_it(warehouse: Warehouse) -> None:
    sent(warehouse, visitor_id="u1")
    store(
        warehouse,
        event_row("identify", "phone", user="u1"),
        event_row("identify", "phone", NOON + 1, user="u2"),
        event_row("message_shown", "phone", NOON + 2, user="u2", message_id="message-1"),
        event_row("message_shown", "laptop", NOON + 2, user="u1", message_id="no_such_message"),
    )
    assert reported(warehouse) == set()


def test_a_visitor_who_was_recognised_since_still_owns_earlier_mail(warehouse: Warehouse) -> None:
    sent(warehouse, visitor_id="phone", channel="email", recipients=())
    store(
        warehouse,
        event_row("identify", "phone", user="u1"),
        event_row("email_opened", "phone", user="u1", message_id="message-1"),
    )
    assert reported(warehouse) == {("message-1", "opened")}


@pytest.mark.parametrize(
    "report",
    [
        event_row("message_clicked", "stranger", message_id="message-1"),
        event_row("message_clicked", "anna", message_id="message-1", site="other"),
        event_row("message_clicked", "anna", message_id="no_such_message"),
        event_row("message_clicked", "anna"),
        event_row("purchase", "anna", message_id="message-1"),
        event_row("email_opened", "anna", message_id="message-1", machine=True),
        event_row("email_clicked", "anna", message_id="message-1", machine=True),
    ],
)
def test_what_is_nobodys_doing_or_about_somebody_elses_message_is_passed_over(
    warehouse: Warehouse, report: dict[str, object]
) -> None:
    sent(warehouse)
    sent(warehouse, "message-2", visitor_id="stranger", recipients=("stranger",))
    store(warehouse, report)
    assert reported(warehouse) == set()


def test_a_message_that_was_never_sent_reaches_no_state(warehouse: Warehouse) -> None:
    Records(warehouse).store_messages([MessageRecord(queued(), "pending", NOON)])
    store(warehouse, event_row("message_clicked", message_id="message-1"))
    assert reported(warehouse) == {("message-1", "pending")}


def test_a_failure_that_was_overcome_before_the_message_was_sent_is_no_state(warehouse: Warehouse) -> None:
    sent(warehouse)
    store(warehouse, event_row("message_failed", "anna", NOON - 5, stored_at=NOON, message_id="message-1"))
    assert reported(warehouse) == set()


def test_a_report_that_comes_again_changes_nothing(warehouse: Warehouse) -> None:
    sent(warehouse)
    for _ in range(2):
        store(warehouse, event_row("message_shown", message_id="message-1", event_id="same"))
        assert reported(warehouse) == {("message-1", "shown")}


def test_equal_ids_of_two_visitors_events_are_two_reports(warehouse: Warehouse) -> None:
    sent(warehouse)
    sent(warehouse, "message-2", visitor_id="bob", recipients=("bob",))
    store(
        warehouse,
        event_row("message_shown", "anna", message_id="message-1", event_id="same"),
        event_row("message_shown", "bob", message_id="message-2", event_id="same"),
    )
    assert reported(warehouse) == {("message-1", "shown"), ("message-2", "shown")}

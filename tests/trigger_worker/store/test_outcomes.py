"""What visitors did with messages."""

from __future__ import annotations

import json

import pytest

from tests.trigger_worker.stored import NOON, event_row, queued, store
from trigger_worker.store.feed import read_news
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.outcomes import record_outcomes
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse


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

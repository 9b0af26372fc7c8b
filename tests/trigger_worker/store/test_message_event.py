"""The events that states of messages are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.trigger_worker.stored import NOON, queued
from trigger_worker.store.message import MessageRecord, MessageState
from trigger_worker.store.message_event import message_event, occurrence, read_untold, retry_event
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse
from warehouse.event import EventRow


@pytest.mark.parametrize(
    ("state", "name"),
    [("sent", "message_sent"), ("failed", "message_failed"), ("pending", None), ("cancelled", None), ("shown", None)],
)
def test_what_was_sent_and_what_failed_is_an_event(state: MessageState, name: str | None) -> None:
    event = message_event(occurrence(MessageRecord(queued(), state, NOON + 5)))
    assert (event.event if event else None) == name


def test_an_event_tells_of_its_message_and_has_an_id_that_follows_from_it() -> None:
    detail = {"attempts": 2, "reason": "refused", "error": "no such mailbox of anna@example.com", "variant": "coupon"}
    record = MessageRecord(queued(channel="email", retries=3), "failed", NOON + 5, detail=detail)
    event = message_event(occurrence(record))
    assert event is not None
    assert (event.site, event.visitor_id, event.message_id) == ("shop", "anna", "message-1")
    assert (event.event_id, event.ts, event.source) == (
        "message_failed-message-1-3",
        "2026-11-22 11:00:00.005",
        "live",
    )
    assert json.loads(event.props) == {"rule": "lingers", "channel": "email", "variant": "coupon", "reason": "refused"}
    assert (event.anonymous_id, event.user_id) == ("", ""), "whoever the visitor is, is not for the worker to say"


def test_each_state_becomes_this_row() -> None:
    common: Any = {
        "site": "shop",
        "type": "track",
        "visitor_id": "anna",
        "source": "live",
        "message_id": "message-1",
    }
    detail = {"attempts": 2, "reason": "refused", "error": "no such mailbox of anna@example.com", "variant": "coupon"}
    record = MessageRecord(queued(channel="email", retries=3), "failed", NOON + 5, detail=detail)
    assert message_event(occurrence(record)) == EventRow(
        event="message_failed",
        event_id="message_failed-message-1-3",
        ts="2026-11-22 11:00:00.005",
        received_at="2026-11-22 11:00:00.005",
        props='{"rule":"lingers","channel":"email","variant":"coupon","reason":"refused"}',
        **common,
    )
    assert message_event(occurrence(MessageRecord(queued(), "sent", NOON))) == EventRow(
        event="message_sent",
        event_id="message_sent-message-1-0",
        ts="2026-11-22 11:00:00.000",
        received_at="2026-11-22 11:00:00.000",
        props='{"rule":"lingers","channel":"banner"}',
        **common,
    )
    assert retry_event(queued(retries=2, recorded_at=NOON + 7)) == EventRow(
        event="message_retried",
        event_id="message_retried-message-1-2",
        ts="2026-11-22 11:00:00.007",
        received_at="2026-11-22 11:00:00.007",
        props='{"rule":"lingers","channel":"banner"}',
        **common,
    )


def test_asking_again_is_an_event_of_its_own_each_time() -> None:
    assert [retry_event(queued(retries=round_)).event_id for round_ in (1, 2)] == [
        "message_retried-message-1-1",
        "message_retried-message-1-2",
    ]


def test_what_was_stored_without_its_event_is_found(warehouse: Warehouse) -> None:
    records = Records(warehouse)
    for name in ("told", "untold"):
        records.store_messages([MessageRecord(queued(name), "sent", NOON, detail={"attempts": 1, "variant": "a"})])
    records.store_messages([MessageRecord(queued("long_ago"), "sent", NOON - 2, detail={"attempts": 1})])
    records.store_messages([MessageRecord(queued("waits"), "pending", NOON, detail={"attempts": 0})])
    records.store_messages([MessageRecord(queued("undelivered"), "failed", NOON, detail={"reason": "failed 30003"})])
    told, untold = sorted(read_untold(warehouse, NOON - 1), key=lambda happened: happened.message.message_id)
    event = message_event(told)
    assert event is not None
    records.store_events([event])
    assert read_untold(warehouse, NOON - 1) == [untold]
    happened = (untold.message.message_id, untold.state, untold.at, untold.detail["variant"])
    assert happened == ("untold", "sent", NOON, "a")

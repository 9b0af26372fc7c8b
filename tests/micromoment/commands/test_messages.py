"""Listing messages and asking for failed ones again, beside a worker that runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.micromoment.commands.history import run
from tests.trigger_worker.recording_channel import RecordingChannel
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import NOON, event_row, queued, store
from trigger_worker.store.message import MessageRecord, MessageState
from trigger_worker.store.queue import queue_record, read_queue
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse, connect
from warehouse.errors import DeliveryError
from warehouse.migrations import migrate

HEADER = ["message", "state", "since", "rule", "channel", "visitor", "due", "why"]


@pytest.fixture
def stored(dsn: str) -> Iterator[Warehouse]:
    """A database with a message that waits, one that failed, and one that was sent and shown."""
    with connect(dsn) as warehouse:
        migrate(warehouse)
        refused = {"attempts": 2, "reason": "refused", "error": "no such\x1b[2Jmailbox"}
        outcomes: list[tuple[str, str, MessageState, dict[str, Any]]] = [
            ("failed", "anna", "failed", refused),
            ("shown", "bob", "sent", {"attempts": 1}),
            ("shown", "bob", "shown", {}),
        ]
        messages = [
            queued("waits", visitor_id="phone"),
            queued("failed", rule="other"),
            queued("shown", visitor_id="bob"),
        ]
        records = [queue_record(message) for message in messages]
        for place, (name, visitor, state, detail) in enumerate(outcomes, 1):
            message = next(message for message in messages if message.message_id == name)
            assert message.visitor_id == visitor
            records.append(MessageRecord(message, state, NOON + place, detail=detail))
        Records(warehouse).store_messages(records)
        store(warehouse, event_row("identify", "phone", user="u1"))
        yield warehouse


def listed(dsn: str, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    result = run(dsn, folder, "messages", "--format", "json", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ["shown", "failed", "waits"]),
        (("--failed",), ["failed"]),
        (("--pending",), ["waits"]),
        (("--rule", "lingers"), ["shown", "waits"]),
        (("--visitor", "u1"), ["waits"]),
        (("--visitor", "bob"), ["shown"]),
        (("--visitor", "nobody"), []),
        (("--limit", "1"), ["shown"]),
    ],
)
def test_messages_are_listed_as_they_stand_the_latest_change_first(
    stored: Warehouse, dsn: str, tmp_path: Path, arguments: tuple[str, ...], expected: list[str]
) -> None:
    assert [message["message_id"] for message in listed(dsn, tmp_path, *arguments)] == expected


def test_what_is_told_of_a_failure(stored: Warehouse, dsn: str, tmp_path: Path) -> None:
    (failed,) = listed(dsn, tmp_path, "--failed")
    assert (failed["state"], failed["attempts"], failed["reason"], failed["retries"]) == ("failed", 2, "refused", 0)
    assert (failed["due_at"], failed["changed_at"]) == (NOON, NOON + 1)
    header, row = run(dsn, tmp_path, "messages", "--failed").stdout.splitlines()
    assert header.split() == HEADER
    assert row.endswith("refused: no such�[2Jmailbox")


def test_a_failed_message_is_asked_for_again_by_its_id(stored: Warehouse, dsn: str, tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    result = run(dsn, tmp_path, "retry", "failed")
    assert (result.exit_code, result.stdout) == (0, "1 message will be tried again\n")
    again = next(message for message in read_queue(stored) if message.message_id == "failed")
    assert (again.retries, again.attempts, again.is_tried) == (1, 0, False)
    assert now <= again.due_at < now + 60_000
    assert again.expires_at == again.due_at + 86_400_000
    assert [message["state"] for message in listed(dsn, tmp_path, "--rule", "other")] == ["pending"]


@pytest.mark.parametrize("message_id", ["waits", "shown", "unknown"])
def test_what_has_not_failed_is_not_asked_for_again(
    stored: Warehouse, dsn: str, tmp_path: Path, message_id: str
) -> None:
    result = run(dsn, tmp_path, "retry", message_id, "failed")
    assert result.exit_code == 1
    assert result.stderr == f"no failed message has the id {message_id}\n"
    assert {message.message_id: message.retries for message in read_queue(stored)} == {"waits": 0, "failed": 1}


@pytest.mark.parametrize("arguments", [(), ("failed", "--rule", "other")])
def test_messages_or_a_rule_must_be_named(tmp_path: Path, dsn: str, arguments: tuple[str, ...]) -> None:
    result = run(dsn, tmp_path, "retry", *arguments)
    assert result.exit_code == 2
    assert "name messages, or a rule with --rule" in result.stderr


async def test_a_worker_that_runs_tries_again_what_failed_and_counts_it_once(
    dsn: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    shop = Shop(warehouse, tmp_path)
    shop.now_ms = time.time_ns() // 1_000_000  # The command and ClickHouse go by the clock of the machine.
    shop.channels["email"] = RecordingChannel("email", [DeliveryError("no such mailbox")] * 2)
    shop.rule("lingers", "when: hover\nsend:\n  - email: reminder\n")
    await shop.starts()
    shop.happens("identify", user="u1", traits={"email": "anna@example.com"})
    shop.happens("hover", user="u1")
    await shop.passes()
    (failed,) = listed(dsn, tmp_path, "--failed")
    for attempt in (1, 2):
        assert run(dsn, tmp_path, "retry", "--rule", "lingers").stdout == "1 message will be tried again\n"
        shop.now_ms = time.time_ns() // 1_000_000
        await shop.passes(1)
        await shop.passes(1)
        (now,) = listed(dsn, tmp_path)
        assert (now["message_id"], now["retries"]) == (failed["message_id"], attempt)
        assert now["state"] == ("failed" if attempt == 1 else "sent")
    await shop.starts()
    await shop.passes(1)
    assert len(shop.channels["email"].sent) == 1


def test_an_event_alone_brings_nothing_back(stored: Warehouse, dsn: str, tmp_path: Path) -> None:
    store(stored, event_row("message_retried", "anna", message_id="failed"))
    assert [message.message_id for message in read_queue(stored)] == ["waits"]

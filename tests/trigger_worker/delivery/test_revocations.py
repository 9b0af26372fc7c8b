"""The row that tells of a subscription that is gone."""

from __future__ import annotations

from typing import Any

import msgspec
from structlog.testing import capture_logs

from tests.trigger_worker.stored import NOON
from trigger_worker.delivery.channels.base import OutboundMessage
from trigger_worker.delivery.content.text_message import SmsContent
from trigger_worker.delivery.revocations import Revocations
from trigger_worker.store.records import Records
from warehouse.errors import WarehouseUnavailable
from warehouse.event import LASTING_DAYS, EventRow

ENDPOINT = "https://push.example/send/abc"
MESSAGE = OutboundMessage(
    message_id="message-1",
    site="shop",
    rule="back_in_stock",
    visitor_id="ada",
    recipients=("browser",),
    content=SmsContent("Back", 1),
    expires_at_ms=NOON + 1000,
)


class KeepingInserts:
    """Keeps rows instead of storing them."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        """Keep the rows of one insert."""
        assert (table, bool(token)) == ("events", True)
        self.lines += lines.split(b"\n")


class AwayInserts:
    """Refuses every insert."""

    def insert_lines(self, *_: Any) -> None:
        """Raise what a ClickHouse that is away raises."""
        raise WarehouseUnavailable("nobody there")


async def test_a_subscription_that_is_gone_becomes_this_row() -> None:
    inserts = KeepingInserts()
    for _ in range(2):
        await Revocations(Records(inserts, {"shop": 90}), lambda: NOON).record(MESSAGE, ENDPOINT)
    row = EventRow(
        site="shop",
        event="push_unsubscribed",
        type="track",
        event_id="8ef3c5f0-b63f-5bec-ac20-3e4ade6c008f",
        visitor_id="ada",
        ts="2026-11-22 11:00:00.000",
        received_at="2026-11-22 11:00:00.000",
        source="live",
        message_id="message-1",
        props=f'{{"endpoint":"{ENDPOINT}","rule":"back_in_stock","channel":"push","reason":"gone"}}',
        retention_days=LASTING_DAYS,
    )
    assert [msgspec.json.decode(line, type=EventRow) for line in inserts.lines] == [row, row]


async def test_what_cannot_be_stored_is_logged_and_forgotten() -> None:
    with capture_logs() as logs:
        await Revocations(Records(AwayInserts()), lambda: NOON).record(MESSAGE, ENDPOINT)
    assert [(log["event"], log["message_id"]) for log in logs] == [("revocation_not_stored", "message-1")]

"""Damaged bodies over HTTP, up to what ClickHouse has of them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, running_parts
from tests.collector.intake.test_damaged import SOUND, around, batch_of
from tests.collector.messages import message
from warehouse.connection import Warehouse
from warehouse.journal.mover import Mover
from warehouse.journal.tables import JournalTable

DAMAGED: Final = batch_of(
    SOUND[0],
    around(b'"half \\ud83d"', "half"),
    around(b'"caf\xe9"', "bytes"),
    around(b"NaN", "nan"),
    b'{"type": broken}',
    SOUND[1],
)
STORED: Final = [("bytes", "caf\ufffd"), ("first", ""), ("half", "half \ufffd"), ("last", ""), ("nan", "")]


async def test_what_is_mended_is_stored_told_and_counted(tmp_path: Path, warehouse: Warehouse) -> None:
    async def announce(_: JournalTable) -> None:
        return

    async with running_parts(tmp_path, warehouse) as parts, client_of(parts) as client:
        reply = (await client.post("/v1/batch", content=DAMAGED)).json()
        with Mover(parts.journal, parts.warehouse, announce) as mover:
            await mover.drain()
        counted = parts.metrics.registry.get_sample_value
        labels = {"site": "shop", "reason": "text_repaired"}
        assert counted("micromoment_events_warned_total", labels) == 2
    assert [(each["messageId"], each["reason"]) for each in reply["warnings"]] == [
        ("half", "text_repaired"),
        ("bytes", "text_repaired"),
        ("nan", "number_repaired"),
    ]
    assert [each["reason"] for each in reply["dropped"]] == ["malformed"]
    rows = warehouse.query("SELECT event_id, JSONExtractString(props, 'x') FROM events ORDER BY event_id")
    assert [tuple(row) for row in rows] == STORED


@pytest.mark.parametrize("bare", [b"[%s]", b"%s"])
async def test_a_list_and_a_single_message_bring_their_key_wherever_a_batch_may(tmp_path: Path, bare: bytes) -> None:
    keyed = msgspec.json.encode(message(messageId="keyed", writeKey="shop-key"))
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        assert (await client.post("/v1/batch", content=bare % SOUND[0])).status_code == 401
        for body, headers in ((bare % keyed, {}), (bare % SOUND[0], {"X-Write-Key": "shop-key"})):
            reply = await client.post("/v1/batch", content=body, headers=headers)
            assert (reply.status_code, reply.json()) == (200, {"success": True})


async def test_a_large_damaged_body_is_read_in_its_turn(tmp_path: Path) -> None:
    body = batch_of(*[around(b"NaN", f"{number}") for number in range(1000)])
    assert len(body) > 64 * 1024
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        for packed in (body, b"\xef\xbb\xbf" + body, gzip.compress(body) + bytes(64)):
            reply = (await client.post("/v1/batch", content=packed)).json()
            assert {each["reason"] for each in reply["warnings"]} == {"number_repaired"}
        # Who brings no key that is known is not read any further.
        assert (await client.post("/v1/batch", content=body.replace(b"shop-key", b"?"))).status_code == 401

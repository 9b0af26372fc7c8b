"""Every hostile body at every route that takes events: answered, bounded, and without harm to anybody else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import msgspec
from litestar import Litestar
from litestar.testing import AsyncTestClient
from structlog.testing import capture_logs

from collector.parts import CollectorParts
from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, running_parts
from tests.collector.hostile.bodies import BODIES, of
from tests.collector.messages import message
from warehouse.connection import Warehouse
from warehouse.journal.mover import Mover
from warehouse.journal.tables import EVENTS, JournalTable

Client = AsyncTestClient[Litestar]
ROUTES: Final = ("/v1/batch", "/v1/track", "/v1/identify")
STATUSES: Final = {200, 400, 401, 413}
#: Of processor, on a machine that is busy with other tests as well; the worst takes about a tenth of it.
MOST_SECONDS: Final = 1.5
MOST_ANSWER: Final = 60_000
CONTENT_TYPES: Final = (
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "x",
)


async def answer(client: Client, route: str, body: bytes, content_type: str = "text/plain") -> str:
    """Return what is wrong with the answer to a body, or ''."""
    began = time.process_time()
    reply = await client.post(route, content=body, headers={"Content-Type": content_type})
    took = time.process_time() - began
    if reply.status_code not in STATUSES:
        return f"answered {reply.status_code}"
    said = msgspec.json.decode(reply.content, type=dict)
    if reply.status_code != 200 and set(said) != {"code", "message"}:
        return f"an error says {sorted(said)}"
    if len(reply.content) > MOST_ANSWER:
        return f"an answer of {len(reply.content)} bytes"
    return f"took {took:.1f} s" if took > MOST_SECONDS else ""


async def test_every_hostile_body_is_answered_and_the_next_sender_is_served(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        with capture_logs() as logs:
            wrong = {
                f"{route}: {name}": trouble
                for name, body in BODIES.items()
                for route in ROUTES
                if (trouble := await answer(client, route, body))
            }
        assert wrong == {}
        mistakes = [line for line in logs if line["event"] in {"request_failed", "message_not_read"}]
        assert mistakes == []
        assert (await client.post("/v1/batch", content=of(message(messageId="next")))).json().get("dropped") is None


async def test_what_a_body_is_called_changes_nothing(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        for name in ("nothing", "a list", "a form of no base64", "a gzip cut off", "messages of every kind"):
            assert [await answer(client, "/v1/batch", BODIES[name], kind) for kind in CONTENT_TYPES] == [""] * len(
                CONTENT_TYPES
            )


async def test_whatever_was_acknowledged_can_be_stored(tmp_path: Path, warehouse: Warehouse) -> None:
    async with running_parts(tmp_path, warehouse) as parts, client_of(parts) as client:
        for name, body in BODIES.items():
            if len(body) < 100_000:
                await client.post(
                    "/v1/batch", content=body.replace(b'"messageId":"m"', b'"messageId":"%d"' % hash(name))
                )
        acknowledged = parts.journal.depth(EVENTS)
        assert acknowledged > 100
        assert await _moved(parts) == acknowledged
    (stored,) = warehouse.query("SELECT count() FROM events")[0]
    assert stored == acknowledged


async def _moved(parts: CollectorParts) -> int:
    """Move all that waits to ClickHouse, and return how many rows it took."""

    async def announce(_: JournalTable) -> None:
        return

    with Mover(parts.journal, parts.warehouse, announce) as mover:
        await mover.drain()
        lane = mover.lanes[EVENTS]
        assert lane.set_aside == 0
        return lane.inserted

"""A worker in a process of its own that is killed at one boundary: before or after something is stored or handed over.

Without a boundary it runs until nothing is left to do, and prints what is stored.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from micromoment.roles.worker import build_worker
from tests.trigger_worker.stored import event_row
from tests.trigger_worker.ticking import tick
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.delivery.channels.base import Channel, OutboundMessage
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.channels.webhook import WebhookChannel, WebhookSettings
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import People
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.store.records import Records
from trigger_worker.store.row_log import JournalRowLog, WorkerRows
from trigger_worker.worker import Worker
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse, connect
from warehouse.event import EventRow
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.mover import Mover
from warehouse.journal.tables import EVENTS, JournalTable, event_key
from warehouse.migrations import migrate
from warehouse.queries import Inserts

VISITORS_EACH = 3
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STORED = """
    SELECT rule, visitor_id, message_id, argMax(state, at) AS state, argMax(detail, at) AS detail,
           message_id IN (SELECT message_id FROM decisions) AS decided, fire_id IN (SELECT fire_id FROM fires) AS fired,
           message_id IN (SELECT message_id FROM events) AS told
    FROM messages GROUP BY rule, visitor_id, message_id, fire_id ORDER BY rule, visitor_id
"""


class Crash:
    """Kills the process the nth time that a boundary is met.

    Args:
        boundary: such as `before firings`.
        nth: from 1.

    Attributes:
        is_armed: False until the visitors of the run are accepted, so that they are there whatever happens.
    """

    def __init__(self, boundary: str, nth: int) -> None:
        self._boundary = boundary
        self._left = nth
        self.is_armed = False

    def meet(self, boundary: str) -> None:
        if self.is_armed and boundary == self._boundary:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class CrashingLog:
    """Appends to the journal as always, with a boundary on either side."""

    def __init__(self, journal: JournalThread, crash: Crash) -> None:
        self._log = JournalRowLog(journal)
        self._crash = crash

    async def append(self, rows: WorkerRows, now_ms: int) -> None:
        kind = _kind(rows)
        self._crash.meet(f"before {kind}")
        await self._log.append(rows, now_ms)
        self._crash.meet(f"after {kind}")

    async def until_shared(self, at: int) -> None:
        """Return at once: whoever works next has the same rows."""
        await self._log.until_shared(at)

    def oldest_at(self) -> int | None:
        return self._log.oldest_at()


class CrashingInserts:
    """Inserts as always, with a boundary on either side of each table's inserts."""

    def __init__(self, warehouse: Warehouse, crash: Crash) -> None:
        self._warehouse = warehouse
        self._crash = crash

    def insert_lines(self, table: str, lines: bytes, token: str) -> None:
        self._crash.meet(f"before moving {table}")
        self._warehouse.insert_lines(table, lines, token)
        self._crash.meet(f"after moving {table}")


class CrashingChannel:
    """Hands over as always, with a boundary on either side."""

    def __init__(self, channel: Channel, crash: Crash) -> None:
        self._channel = channel
        self._crash = crash

    @property
    def name(self) -> str:
        return self._channel.name

    async def send(self, message: OutboundMessage) -> None:
        self._crash.meet(f"before {self.name}")
        await self._channel.send(message)
        self._crash.meet(f"after {self.name}")


def _kind(rows: WorkerRows) -> str:
    """Return what rows are stored for."""
    if rows.fires:
        return "firings"
    if any(record.state in {"sent", "failed"} for record in rows.messages):
        return "outcome"
    return "attempt" if any(record.message.is_tried for record in rows.messages) else "others"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def visits(run: int) -> list[dict[str, Any]]:
    """Return what some new visitors do, as rows that ClickHouse has not stamped yet."""
    rows = []
    for number in range(VISITORS_EACH):
        visitor = f"visitor-{run}-{number}"
        traits = {"email": f"{visitor}@example.com"}
        rows.append(event_row("identify", visitor, now_ms(), traits=traits, event_id=f"identify-{visitor}"))
        rows.append(event_row("hover", visitor, now_ms(), event_id=f"hover-{visitor}"))
    for row in rows:
        del row["ingested_at"]
    return rows


class Collector:
    """Accepts what visitors do, into a journal of its own, and tells the worker.

    Args:
        journal: takes the rows.
        warehouse: where they go.
        crash: kills the process between telling and inserting, where that is asked for.
    """

    def __init__(self, journal: JournalThread, warehouse: Inserts, crash: Crash) -> None:
        self._journal = journal
        self._warehouse = warehouse
        self._crash = crash

    async def accept(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keep rows, once those of the process before are in ClickHouse."""
        await self._insert()
        ids = [event_key("shop", row["visitor_id"], row["event_id"]) for row in rows]
        await self._journal.append_async(EVENTS, [msgspec.json.encode(row) for row in rows], now_ms(), ids)
        self._crash.is_armed = True

    async def tell(self, worker: Worker, rows: Sequence[dict[str, Any]], *, inserts_first: bool) -> None:
        """Tell the worker of rows on the bus, and insert them, in either order."""
        if inserts_first:
            await self._insert()
            self._crash.meet("inserted and not heard")
        worker.hear([msgspec.convert(row, EventRow) for row in rows], now_ms())
        await worker.evaluation.bus.settle()
        self._crash.meet("heard and not inserted")
        await self._insert()

    async def _insert(self) -> None:
        with Mover(self._journal, self._warehouse, _nobody) as mover:
            await mover.drain()


class Journals(msgspec.Struct, frozen=True):
    """The journals of a collector and of a worker."""

    collector: JournalThread
    worker: JournalThread


async def work(
    warehouse: Warehouse, folder: Path, run: int, crash: Crash, journals: Journals, channels: Sequence[Channel]
) -> None:
    """Do what there is to do; at a clean end nothing is left in the journals."""
    inserts, rows = CrashingInserts(warehouse, crash), visits(run)
    collector = Collector(journals.collector, inserts, crash)
    await collector.accept(rows)
    with Mover(journals.worker, inserts, _nobody) as mover:
        worker = build_worker(
            warehouse,
            records=Records(warehouse),
            log=CrashingLog(journals.worker, crash),
            folder=RuleFolder(folder / "rules", folder / "audiences.yaml"),
            policy=PolicySource(folder / "policy.yaml"),
            recipients=Recipients({"webhook": "the peer"}),
            renderer=Renderer(TemplateFolder(folder / "templates"), {}, FactCleaner({})),
            channels={channel.name: CrashingChannel(channel, crash) for channel in channels},
            people=People(started_at=now_ms()),
            addresses=AddressKeys(b"secret"),
            confirming=frozenset(),
            ceilings={},
            metrics=WorkerMetrics(CollectorRegistry()),
            clock_ms=now_ms,
            now_ms=now_ms,
            caught_up=mover.drain,
        )
        try:
            sweep = await worker.resume()
            # As a running worker, this one knows its rules before it hears of anything.
            await tick(worker, sweep)
            await collector.tell(worker, rows, inserts_first=run % 2 == 1)
            idle_ticks = 0
            while idle_ticks < 2 or worker.delivery.message_ids():
                ticked = await tick(worker, sweep)
                await worker.dispatcher.settle(10)
                await mover.drain()
                idle_ticks = idle_ticks + 1 if ticked.idle else 0
        finally:
            worker.close()


async def _nobody(_: JournalTable) -> None:
    """Tell nobody that rows were moved: this worker sweeps all the time."""


async def main(folder: Path, run: int, boundary: str, nth: int, webhook_url: str, smtp_port: int) -> None:
    with connect(f"chdb://{folder}/clickhouse") as warehouse:
        migrate(warehouse)
        email = EmailSettings(host="127.0.0.1", port=smtp_port, sender="Shop <shop@example.com>")
        with (
            JournalThread(Journal(folder / "journal-collector")) as collector,
            JournalThread(Journal(folder / "journal-worker")) as own,
        ):
            async with (
                EmailChannel(email, now_ms) as mail,
                WebhookChannel(WebhookSettings(url=webhook_url, secret=SECRET), now_ms) as webhook,
            ):
                await work(warehouse, folder, run, Crash(boundary, nth), Journals(collector, own), [mail, webhook])
        print(json.dumps(warehouse.query(STORED), default=str), file=sys.stderr)


def run(said: Path, *arguments: Any) -> None:
    """Be that process.

    Args:
        said: the file that takes what it prints.
        arguments: as of `main`.
    """
    with said.open("w") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    asyncio.run(main(*arguments))

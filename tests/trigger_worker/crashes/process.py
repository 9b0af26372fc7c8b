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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from micromoment.roles.worker import build_worker
from tests.trigger_worker.stored import event_row, store
from tests.trigger_worker.ticking import tick
from trigger_worker.deciding.decider import Decider
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.channels.base import Channel, OutboundMessage
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.channels.webhook import WebhookChannel, WebhookSettings
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.records import Records
from warehouse.connection import Warehouse, connect
from warehouse.event import EventRow
from warehouse.migrations import migrate

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
        boundary: such as `before fires`.
        nth: from 1.
    """

    def __init__(self, boundary: str, nth: int) -> None:
        self._boundary = boundary
        self._left = nth

    def meet(self, boundary: str) -> None:
        if boundary == self._boundary:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def crash_when_storing(crash: Crash) -> None:
    """Put a boundary on either side of everything that is stored."""
    store_messages, store_events = Records.store_messages, Records.store_events
    store_fires, store_decisions = Records.store_fires, Records.store_decisions

    def around(name: str, store: Callable[[], None]) -> None:
        crash.meet(f"before {name}")
        store()
        crash.meet(f"after {name}")

    def messages(records: Records, rows: Sequence[MessageRecord]) -> None:
        around(_kind(rows), lambda: store_messages(records, rows))

    def fires(records: Records, rows: Sequence[Fire], at: int) -> None:
        around("fires" if rows else "nothing", lambda: store_fires(records, rows, at))

    def decisions(records: Records, rows: Sequence[DecisionRecord]) -> None:
        around("decisions", lambda: store_decisions(records, rows))

    def events(records: Records, rows: Sequence[EventRow]) -> None:
        around("events", lambda: store_events(records, rows))

    for name, method in (("messages", messages), ("fires", fires), ("decisions", decisions), ("events", events)):
        setattr(Records, f"store_{name}", method)


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


def _kind(records: Sequence[MessageRecord]) -> str:
    if not records:
        return "nothing"
    if any(record.state == "sent" for record in records):
        return "outcome"
    return "attempt" if any(record.message.is_tried for record in records) else "queued"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def visit(warehouse: Warehouse, run: int) -> None:
    """Store what some new visitors did, once."""
    for number in range(VISITORS_EACH):
        visitor = f"visitor-{run}-{number}"
        traits = {"email": f"{visitor}@example.com"}
        identify = event_row("identify", visitor, now_ms(), traits=traits, event_id=f"identify-{visitor}")
        store(warehouse, identify, event_row("hover", visitor, now_ms(), event_id=f"hover-{visitor}"))


async def work(warehouse: Warehouse, folder: Path, crash: Crash, channels: Sequence[Channel]) -> None:
    """Do what there is to do."""
    outbox, records, metrics = Outbox(), Records(warehouse), WorkerMetrics(CollectorRegistry())
    dispatcher = Dispatcher(
        records=records,
        outbox=outbox,
        renderer=Renderer(TemplateFolder(folder / "templates"), {}),
        channels={channel.name: CrashingChannel(channel, crash) for channel in channels},
        metrics=metrics,
        now_ms=now_ms,
    )
    worker = build_worker(
        warehouse,
        records=records,
        folder=RuleFolder(folder / "rules", folder / "audiences.yaml"),
        policy=PolicySource(folder / "policy.yaml"),
        decider=Decider(warehouse, Recipients({"webhook": "the peer"})),
        dispatcher=dispatcher,
        outbox=outbox,
        metrics=metrics,
        clock_ms=now_ms,
    )
    reader = await worker.resume()
    idle_ticks = 0
    while idle_ticks < 2 or len(outbox) or dispatcher.under_way():
        ticked = await tick(worker, reader)
        await dispatcher.settle(10)
        idle_ticks = idle_ticks + 1 if ticked.idle else 0


async def main(folder: Path, run: int, boundary: str, nth: int, webhook_url: str, smtp_port: int) -> None:
    with connect(f"chdb://{folder}/clickhouse") as warehouse:
        migrate(warehouse)
        visit(warehouse, run)
        email = EmailSettings(host="127.0.0.1", port=smtp_port, sender="Shop <shop@example.com>")
        async with (
            EmailChannel(email, now_ms) as mail,
            WebhookChannel(WebhookSettings(url=webhook_url, secret=SECRET), now_ms) as webhook,
        ):
            crash = Crash(boundary, nth)
            crash_when_storing(crash)
            await work(warehouse, folder, crash, [mail, webhook])
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

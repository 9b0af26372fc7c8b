"""A shop whose events, clock and worker are the test's."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from trigger_worker.channels.fake import RecordingChannel
from trigger_worker.content.templates import TemplateFolder
from trigger_worker.decider import Decider
from trigger_worker.dispatcher import Dispatcher
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.outbox import Outbox
from trigger_worker.policy_source import PolicySource
from trigger_worker.records import Records
from trigger_worker.rules.folder import RuleFolder
from trigger_worker.worker import Worker
from warehouse.connection import Row, Warehouse
from warehouse.event import format_time
from warehouse.vocabulary import COLUMN_FIELDS

#: Sunday noon in Berlin; every test starts then.
START_MS = 1_795_345_200_000
BANNER = "form: bar\nposition: top\ntitle: Hello {{ visitor.first_name }}\ntext: '{{ product.name }}'\n"
EMAIL = "---\nsubject: Your cart\n---\n{% for item in cart.items %}<p>{{ item.name }}</p>{% endfor %}\n"


class Shop:
    """One warehouse, one folder of rules, and a clock that moves when it is told to.

    Args:
        warehouse: empty, with its schema.
        folder: where rules and templates are written.
        failures: by channel, what it raises before it starts to work.
    """

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.now_ms = START_MS
        self.channels = {name: RecordingChannel(name) for name in ("banner", "email", "webhook")}
        self._ids = itertools.count(1)
        for name in ("rules", "templates"):
            (folder / name).mkdir()
        self.write("templates/hello.banner.yaml", BANNER)
        self.write("templates/reminder.email.html", EMAIL)
        self.worker = self.new_worker()

    def write(self, name: str, text: str) -> None:
        """Write a file of rules, templates or policy."""
        (self.folder / name).write_text(text)

    def rule(self, rule_id: str, text: str) -> None:
        """Write a rule."""
        self.write(f"rules/{rule_id}.yaml", f"id: {rule_id}\n{text}")

    def happens(self, event: str, visitor: str = "anna", ago_ms: int = 0, **fields: Any) -> str:
        """Store an event, as the collector does, and return its id.

        Args:
            ago_ms: how long before now it happened; it is stored now.
            fields: columns and, under any other name, properties; `user` is the person's id.
        """
        event_id = fields.pop("event_id", f"event-{next(self._ids):06d}")
        user = fields.pop("user", "")
        stored_at = fields.pop("stored_at", self.now_ms)
        columns = {name: value for name, value in fields.items() if name in COLUMN_FIELDS}
        props = {name: value for name, value in fields.items() if name not in COLUMN_FIELDS}
        row = {
            "site": "shop",
            "event": event,
            "type": "track",
            "event_id": event_id,
            "visitor_id": user or visitor,
            "anonymous_id": visitor,
            "user_id": user,
            "source": "live",
            "ts": format_time(self.now_ms - ago_ms),
            "received_at": format_time(stored_at),
            "ingested_at": format_time(stored_at),
            "props": msgspec.json.encode(props).decode() if props else "",
            **columns,
        }
        self.warehouse.insert_lines("events", msgspec.json.encode(row), uuid.uuid4().hex)
        return str(event_id)

    async def passes(self, seconds: float = 0.0) -> None:
        """Let time pass, then let the worker tick."""
        self.now_ms += int(seconds * 1000)
        await self.worker.tick(self.reader)
        await self.dispatcher.settle(10)

    async def starts(self) -> None:
        """Start the worker, as if in a new process."""
        self.worker = self.new_worker()
        self.reader = await self.worker.resume()

    def new_worker(self) -> Worker:
        """Make a worker that knows nothing but what is stored."""
        outbox = Outbox()
        metrics = WorkerMetrics(CollectorRegistry())
        self.dispatcher = Dispatcher(
            records=Records(self.warehouse),
            outbox=outbox,
            templates=TemplateFolder(self.folder / "templates"),
            channels=self.channels,
            site_urls={"shop": "https://shop.example"},
            metrics=metrics,
            now_ms=lambda: self.now_ms,
        )
        return Worker(
            self.warehouse,
            folder=RuleFolder(self.folder / "rules", self.folder / "audiences.yaml"),
            policy=PolicySource(self.folder / "policy.yaml"),
            decider=Decider(self.warehouse, "https://hook.example"),
            dispatcher=self.dispatcher,
            outbox=outbox,
            metrics=metrics,
            clock_ms=lambda: self.now_ms,
        )

    def sent(self, channel: str = "banner") -> list[str]:
        """Return to whom a channel sent, in order."""
        return [message.visitor_id for message in self.channels[channel].sent]

    def rows(self, sql: str) -> list[Row]:
        """Return what a query selects."""
        return list(self.warehouse.query(sql))

    def fires(self) -> Sequence[Row]:
        """Return (rule, visitor, key, milliseconds since START_MS) of each firing."""
        return self.rows(
            f"SELECT rule, visitor_id, key, toUnixTimestamp64Milli(at) - {START_MS} AS after"
            " FROM fires FINAL ORDER BY at, rule, key"
        )

    def decisions(self) -> Sequence[Row]:
        """Return (channel, verdict, reason) of each decision, in order."""
        return self.rows("SELECT channel, verdict, reason FROM decisions ORDER BY decided_at, channel")

    def states(self, channel: str = "banner") -> set[str]:
        """Return the states that messages of a channel reached."""
        sql = f"SELECT DISTINCT state FROM messages WHERE channel = '{channel}'"
        return {state for (state,) in self.rows(sql)}

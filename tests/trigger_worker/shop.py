"""A shop whose events, clock and worker are the test's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from micromoment.roles.worker import build_worker
from tests.trigger_worker.recording_channel import RecordingChannel
from tests.trigger_worker.stored import NOON, event_row, store
from tests.trigger_worker.storing_log import StoringLog, nothing_left
from tests.trigger_worker.ticking import tick
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.delivery.channels.base import Channel
from trigger_worker.delivery.content.context import SiteContext
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.links import MessageLinks
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.offers.catalogue import Catalogue
from trigger_worker.delivery.offers.offer_facts import OfferFacts
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import DEFAULT_BYTES, People
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.store.records import Records
from trigger_worker.store.row_log import RowLog
from trigger_worker.worker import Worker
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Row, Warehouse
from warehouse.event import EventRow, format_time

#: Every test starts then.
START_MS = NOON
BANNER = "form: bar\nposition: top\ntitle: Hello {{ visitor.first_name }}\ntext: '{{ product.name }}'\n"
EMAIL = "---\nsubject: Your cart\n---\n{% for item in cart.items %}<p>{{ item.name }}</p>{% endfor %}\n"


class Shop:
    """One warehouse, one folder of rules, and a clock that moves when it is told to.

    Args:
        warehouse: empty, with its schema.
        folder: where rules and templates are written.
    """

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.now_ms = START_MS
        self.channels: dict[str, RecordingChannel] = {
            name: RecordingChannel(name) for name in ("banner", "email", "webhook")
        }
        self.real_channels: dict[str, Channel] = {}
        self.accepted: dict[str, dict[str, Any]] = {}
        self.links: MessageLinks | None = None
        #: Sites on which addresses must be confirmed, and the most messages an hour; for a worker that starts.
        self.confirming: frozenset[str] = frozenset()
        self.ceilings: dict[str, int] = {}
        self.max_bytes = DEFAULT_BYTES
        self.log: RowLog = StoringLog(warehouse)
        for name in ("rules", "templates", "coupons"):
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
            fields: as in `event_row`.
        """
        row = self.row(event, visitor, ago_ms, **fields)
        store(self.warehouse, row)
        return str(row["event_id"])

    def hears(self, event: str, visitor: str = "anna", ago_ms: int = 0, **fields: Any) -> str:
        """Tell the worker of an event as a collector's bus does, and return its id; ClickHouse does not have it.

        Args:
            ago_ms: how long before now it happened; it is accepted now.
            fields: as in `event_row`.
        """
        row = self.row(event, visitor, ago_ms, **fields)
        self.hear_together(row)
        return str(row["event_id"])

    def hear_together(self, *rows: dict[str, Any]) -> None:
        """Tell the worker of events that a collector accepted together, of `row`."""
        self.accepted |= {row["event_id"]: row for row in rows}
        self.worker.hear([as_accepted(row) for row in rows], self.now_ms)

    def row(self, event: str, visitor: str = "anna", ago_ms: int = 0, **fields: Any) -> dict[str, Any]:
        """Return an event that is accepted now; the arguments are those of `hears`."""
        return event_row(event, visitor, self.now_ms - ago_ms, **{"stored_at": self.now_ms, **fields})

    def arrives(self, event_id: str) -> None:
        """Let ClickHouse have an event that the worker heard of, now."""
        store(self.warehouse, {**self.accepted[event_id], "ingested_at": format_time(self.now_ms)})

    async def passes(self, seconds: float = 0.0) -> None:
        """Let time pass, then let the worker tick."""
        self.now_ms += int(seconds * 1000)
        await tick(self.worker, self.reader)
        await self.dispatcher.settle(10)

    async def uses(self, channel: Channel) -> None:
        """Send by a channel to a real peer, in a worker that starts anew."""
        self.real_channels[channel.name] = channel
        await self.starts()

    async def starts(self) -> None:
        """Start the worker, as if in a new process."""
        self.worker = self.new_worker()
        self.reader = await self.worker.resume()

    def new_worker(self) -> Worker:
        """Make a worker that knows nothing but what is stored."""
        self.metrics = WorkerMetrics(CollectorRegistry())
        catalogue = Catalogue(self.warehouse)
        cleaner = FactCleaner({"shop": ["shop.example"]}, catalogue.find)
        worker = build_worker(
            self.warehouse,
            records=Records(self.warehouse),
            log=self.log,
            folder=RuleFolder(self.folder / "rules", self.folder / "audiences.yaml"),
            policy=PolicySource(self.folder / "policy.yaml", self.folder / "suppressions.txt"),
            recipients=Recipients({"webhook": "https://hook.example", "chat": "chat"}),
            renderer=Renderer(
                TemplateFolder(self.folder / "templates"),
                {"shop": SiteContext(name="shop", url="https://shop.example")},
                cleaner,
                OfferFacts(self.warehouse, self.folder / "coupons", catalogue, cleaner),
                self.links,
            ),
            channels={**self.channels, **self.real_channels},
            people=People(self.max_bytes, self.now_ms),
            addresses=AddressKeys(b"secret"),
            confirming=self.confirming,
            ceilings=self.ceilings,
            metrics=self.metrics,
            clock_ms=lambda: self.now_ms,
            now_ms=lambda: self.now_ms,
            caught_up=nothing_left,
        )
        self.dispatcher = worker.dispatcher
        return worker

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


def as_accepted(row: dict[str, Any]) -> EventRow:
    """Return a row as the collector has it before ClickHouse stamps it."""
    return msgspec.convert({name: value for name, value in row.items() if name != "ingested_at"}, EventRow)

"""A dispatcher with templates, channels and a clock of the test's, and the verdicts that it carries out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from tests.trigger_worker.recording_channel import RecordingChannel
from tests.trigger_worker.stored import NOON, person, queued
from tests.trigger_worker.storing_log import StoringLog
from trigger_worker.deciding.decider import Decided
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent, Permission
from trigger_worker.deciding.recipient.profile import Profile, VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.channels.base import Channel, OutboundMessage
from trigger_worker.delivery.content.engine import FactRequest, MissingFacts
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.ledger import Ledger
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook
from trigger_worker.people.memory import People
from trigger_worker.store.decisions import Reason
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person
from warehouse.connection import Row, Warehouse
from warehouse.event import EventRow

SEND = Verdict("send", Reason.PASSED)
PROFILE = Profile(VisitorContext(id="anna"), Permission(Consent(), frozenset(), {}), CartContext(), {})


class HangingChannel:
    """Takes a message when it is let go."""

    name = "email"

    def __init__(self) -> None:
        self.free = asyncio.Event()

    async def send(self, message: OutboundMessage) -> None:
        await self.free.wait()


class Facts:
    """Facts that have to be read before a template can have them: `slow()`."""

    def __init__(self) -> None:
        self.is_read = False

    def names(self, rule: str, person: Person, profile: Profile, now_ms: int) -> dict[str, Any]:
        return {"slow": self._slow}

    def read(self, missing: Sequence[MissingFacts], now_ms: int) -> None:
        self.is_read = True

    def outdated(self, now_ms: int) -> list[MissingFacts]:
        return []

    def _slow(self) -> str:
        if not self.is_read:
            raise MissingFacts(FactRequest())
        return "read"


class Desk:
    """A dispatcher with templates, channels and a clock of the test's."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self.now_ms = NOON
        self.may_send: Iterator[bool] = repeat(object=True)
        self.outbox, self.metrics = Outbox(), WorkerMetrics(CollectorRegistry())
        self.log, self.people, self.facts = StoringLog(warehouse), People(), Facts()
        self.told: list[EventRow] = []
        self.banner = RecordingChannel("banner")
        self.email = RecordingChannel("email")
        self.dispatcher = self.with_channels({"banner": self.banner, "email": self.email})
        self.write("hello.banner.yaml", "form: bar\ntitle: Hello\n")
        self.write("hello.email.html", "---\nsubject: Hello\n---\n<p>Hello</p>\n")

    def with_channels(self, channels: Mapping[str, Channel]) -> Dispatcher:
        ledger = Ledger(
            self.log, self.people, AddressBook(), lambda events, _: self.told.extend(events), lambda: self.now_ms
        )
        renderer = Renderer(TemplateFolder(self.folder), {}, FactCleaner({}), self.facts)
        self.dispatcher = Dispatcher(
            ledger,
            self.outbox,
            renderer,
            channels,
            self.metrics,
            lambda: self.now_ms,
            lambda: next(self.may_send),
        )
        return self.dispatcher

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    async def carry_out(self, *decided: Decided) -> None:
        await self.dispatcher.dispatch(decided)
        await self.dispatcher.settle(10)

    def states(self, message_id: str = "message-1") -> list[str]:
        rows = self.rows(f"SELECT state FROM messages WHERE message_id = '{message_id}' ORDER BY at, state")
        return [state for (state,) in rows]

    def details(self, state: str) -> str:
        ((detail,),) = self.rows(f"SELECT detail FROM messages WHERE state = '{state}'")
        return str(detail)

    def rows(self, sql: str) -> list[Row]:
        return list(self.warehouse.query(sql))


def decided(message: QueuedMessage, verdict: Verdict = SEND) -> Decided:
    return Decided(message, verdict, "", person("anna"), PROFILE, ("anna@example.com",))


def email(message_id: str = "message-1", **changes: Any) -> QueuedMessage:
    return queued(message_id, channel="email", **changes)

"""A whole collector for tests: every part is real, the clock stands still, and nothing moves the journal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from litestar.testing import AsyncTestClient
from prometheus_client import CollectorRegistry

from collector.admission.visitors import VisitorPace
from collector.app import create_app
from collector.banners.desk import BannerDesk
from collector.banners.stream_token import StreamTokens
from collector.feedback.address_notes import AddressNotes, FactsNoted
from collector.ingest import Accepted, Ingest
from collector.metrics import CollectorMetrics
from collector.parts import CollectorParts, CollectorSettings
from collector.rate import RateLimit
from collector.routes.script import Script, Sdk
from collector.sites import Site, Sites
from tests.collector.messages import NOON
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse
from warehouse.event import EventRow
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS
from warehouse.message_token import MessageTokens

SHOP = Site("shop", "shop-key")
STRICT = Site("strict", "strict-key", origins=("https://strict.example",), consent="opt-in")
SCRIPT = Script(b"plain script", b"gzipped script", "abc123def456")
PART = Script(b"plain part", b"gzipped part", "fed321cba654")
SDK = Sdk(SCRIPT, {"banner": PART})


@asynccontextmanager
async def running_parts(
    folder: Path,
    warehouse: Warehouse,
    *,
    settings: CollectorSettings | None = None,
    sites: tuple[Site, ...] = (SHOP, STRICT),
    rate: RateLimit | None = None,
    journal: Journal | None = None,
    accepted: Accepted | None = None,
    noted: FactsNoted = lambda _: None,
    is_alone: bool = True,
    patience_seconds: float = 10.0,
    events_per_minute: int = 0,
    **changes: Any,
) -> AsyncIterator[CollectorParts]:
    """Yield the parts of a running collector, with the changes that a test needs."""
    metrics = CollectorMetrics(CollectorRegistry())
    settings = settings or CollectorSettings()
    desk = BannerDesk(
        warehouse,
        metrics,
        lambda: NOON,
        heartbeat_seconds=settings.heartbeat_seconds,
        is_alone=is_alone,
        patience_seconds=patience_seconds,
    )
    with JournalThread(journal or Journal(folder / "journal")) as thread:
        parts = CollectorParts(
            settings=settings,
            sites=Sites(sites),
            ingest=Ingest(thread, metrics, accepted or desk.hear, VisitorPace(events_per_minute)),
            journal=thread,
            addresses=AddressNotes(AddressKeys(b"secret"), Sites(sites), thread, noted),
            warehouse=warehouse,
            desk=desk,
            tokens=StreamTokens(b"secret"),
            message_tokens=MessageTokens(b"secret"),
            rate=rate or RateLimit(0, 1),
            metrics=metrics,
            now_ms=lambda: NOON,
        )
        yield msgspec.structs.replace(parts, **changes)


@asynccontextmanager
async def client_of(parts: CollectorParts) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """Yield a client of the application over these parts."""
    async with AsyncTestClient(create_app(parts, SDK), raise_server_exceptions=True) as client:
        yield client


async def kept_rows(parts: CollectorParts) -> list[EventRow]:
    """Return the rows that wait for ClickHouse."""
    batch = parts.journal.take(EVENTS, 10_000).result(10)
    return [msgspec.json.decode(line, type=EventRow) for line in batch.lines] if batch else []

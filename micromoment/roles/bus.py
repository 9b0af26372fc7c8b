"""The bus between collectors and workers: what it carries, and the bus inside one process.

The bus is speed, ClickHouse is the truth: a message may be lost, doubled or late. Nobody waits for it, and no publisher
fails because of it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import ParamSpec, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from warehouse.address_ledger import AddressFact
from warehouse.banner_notice import BannerNotice
from warehouse.event import EventRow
from warehouse.slots import ALL_SLOTS, slot_of

P = ParamSpec("P")
_log = structlog.get_logger("micromoment.bus")


@dataclass(frozen=True)
class BusListener:
    """The functions that a role wants to be called by the bus, in the event loop: each does no more than to enqueue.

    Args:
        on_accepted: takes the rows of events that a collector acknowledged, and the instant of that, epoch ms.
        slots: the slots of the visitors whose events are taken.
        on_news: called when ClickHouse has new events.
        on_banner: takes a banner on its way to pages.
        on_addresses: takes what became known of addresses.
        on_gap: called when messages may have been lost, and when listening begins, with the instant since which, epoch
            ms, 0 for an unknown one: ask ClickHouse.
    """

    on_accepted: Callable[[Sequence[EventRow], int], None] | None = None
    slots: frozenset[int] = ALL_SLOTS
    on_news: Callable[[], None] | None = None
    on_banner: Callable[[BannerNotice], None] | None = None
    on_addresses: Callable[[Sequence[AddressFact]], None] | None = None
    on_gap: Callable[[int], None] | None = None


class Bus(Protocol):
    """Carries messages from each role to those who listen, in this process or in all."""

    def publish_accepted(self, rows: Sequence[EventRow], at: int) -> None:
        """Tell of events that were acknowledged.

        Args:
            rows: the events' rows; the list is not changed afterwards.
            at: the instant of the acknowledgement, epoch ms.
        """

    def publish_news(self) -> None:
        """Tell that ClickHouse has new events."""

    def publish_banner(self, notice: BannerNotice) -> None:
        """Hand a banner to the collectors, whose pages may be open."""

    def publish_addresses(self, facts: Sequence[AddressFact]) -> None:
        """Tell of facts of addresses that are on disk."""

    def listening(self, listener: BusListener) -> AbstractAsyncContextManager[None]:
        """Call a listener's functions until the block ends."""

    def state(self) -> str:
        """Return 'ok', or why messages do not travel."""


class BusMetrics:
    """The figures of a process's bus.

    Args:
        registry: takes their registration.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.connected = Gauge(
            "micromoment_bus_connected", "1 while messages travel between the roles.", registry=registry
        )
        self.dropped = Counter(
            "micromoment_bus_dropped_total",
            "Messages of the bus that were given up; ClickHouse has what they told.",
            ["reason"],
            registry=registry,
        )


class LocalBus:
    """The bus of one process: publishing calls every listener.

    Args:
        metrics: counts what a listener failed at.
    """

    def __init__(self, metrics: BusMetrics) -> None:
        self._metrics = metrics
        self._listeners: tuple[BusListener, ...] = ()
        metrics.connected.set(1)

    def publish_accepted(self, rows: Sequence[EventRow], at: int) -> None:
        """Call every listener with the rows of its slots."""
        for listener in self._listeners:
            own = rows_of(listener.slots, rows)
            if own:
                call(self._metrics, listener.on_accepted, own, at)

    def publish_news(self) -> None:
        """Call every listener."""
        for listener in self._listeners:
            call(self._metrics, listener.on_news)

    def publish_banner(self, notice: BannerNotice) -> None:
        """Call every listener with the notice."""
        for listener in self._listeners:
            call(self._metrics, listener.on_banner, notice)

    def publish_addresses(self, facts: Sequence[AddressFact]) -> None:
        """Call every listener with the facts."""
        for listener in self._listeners:
            call(self._metrics, listener.on_addresses, facts)

    @asynccontextmanager
    async def listening(self, listener: BusListener) -> AsyncIterator[None]:
        """Call a listener's functions until the block ends."""
        self._listeners += (listener,)
        call(self._metrics, listener.on_gap, present_ms())
        try:
            yield
        finally:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

    def state(self) -> str:
        """Return 'ok': nothing can come between the roles of one process."""
        return "ok"


def present_ms() -> int:
    """Return the present, in epoch ms."""
    return time.time_ns() // 1_000_000


def call(metrics: BusMetrics, hear: Callable[P, None] | None, *args: P.args, **kwargs: P.kwargs) -> None:
    """Call a listener's function, where it has one; what goes wrong there must not reach who published."""
    if hear is None:
        return
    try:
        hear(*args, **kwargs)
    except Exception:  # noqa: BLE001 - a mistake of one role must not fail another
        metrics.dropped.labels("listener_failed").inc()
        _log.exception("bus_listener_failed")


def rows_of(slots: frozenset[int], rows: Sequence[EventRow]) -> Sequence[EventRow]:
    """Return the rows whose visitors lie in some slots."""
    if slots is ALL_SLOTS:
        return rows
    return [row for row in rows if slot_of(row.site, row.visitor_id) in slots]

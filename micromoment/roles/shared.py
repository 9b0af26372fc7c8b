"""The parts that all roles of a process share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from prometheus_client import CollectorRegistry

from micromoment.configuration.settings import Settings
from micromoment.privacy.desk import PersonalData
from micromoment.privacy.erasures import Erasures
from micromoment.roles.bus import Bus, BusMetrics, LocalBus
from micromoment.roles.clock import SharedClock
from micromoment.roles.redis_bus import open_redis_bus
from warehouse.connection import Warehouse
from warehouse.journal.group_commit import JournalThread


class Shared(msgspec.Struct, frozen=True):
    """The parts that all roles of a process share.

    Args:
        settings: the settings of the installation.
        warehouse: the ClickHouse database.
        bus: the bus between collectors and workers.
        journal: takes rows of every table, durably, on their way to ClickHouse.
        caught_up: returns once all rows that earlier processes left in the journal are in ClickHouse.
        registry: the metrics that `/metrics` shows.
        storing_state: returns 'ok', or why ClickHouse takes no rows of some table.
        erasures: what may not be stored any more, and who must forget.
        data: the personal data that this process reaches.
        clock: the one clock of the installation.
    """

    settings: Settings
    warehouse: Warehouse
    bus: Bus
    journal: JournalThread
    caught_up: Callable[[], Awaitable[None]]
    registry: CollectorRegistry
    storing_state: Callable[[], str]
    erasures: Erasures
    data: PersonalData
    clock: SharedClock = msgspec.field(default_factory=SharedClock)


@asynccontextmanager
async def open_bus(redis_url: str, registry: CollectorRegistry) -> AsyncIterator[Bus]:
    """Open the bus until the block ends, whether or not Redis answers.

    Args:
        redis_url: the address of Redis; empty for a bus inside this process.
        registry: the metrics that the bus shows itself in.

    Raises:
        ConfigurationError: the address of Redis has a wrong form.
    """
    metrics = BusMetrics(registry)
    if redis_url:
        async with open_redis_bus(redis_url, metrics) as bus:
            yield bus
    else:
        yield LocalBus(metrics)

"""The process that runs one or more roles until it is asked to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry

from micromoment.configuration.private_files import close_to_others
from micromoment.configuration.settings import Settings
from micromoment.engine.protocol import socket_path
from micromoment.engine.socket import hold_engine, serve_engine
from micromoment.privacy.routes import personal_routes
from micromoment.roles.bus import Bus
from micromoment.roles.clock import open_clock
from micromoment.roles.collector import api_description, run_collector
from micromoment.roles.journal import JOURNAL_OF_ALL, JOURNAL_OF_COLLECTOR, JOURNAL_OF_WORKER, open_journal
from micromoment.roles.operations import serve_operations
from micromoment.roles.personal_data import hear_of_erasures, personal_data, read_erasures
from micromoment.roles.shared import Shared, open_bus
from micromoment.roles.worker import run_worker
from micromoment.serving import running
from micromoment.terminal.text import user_name
from trigger_worker.store.feed import read_clock
from warehouse.audit import store_audit
from warehouse.connection import connect
from warehouse.dsn import parse_dsn
from warehouse.errors import ConfigurationError
from warehouse.journal.mover import Announce, Mover
from warehouse.journal.tables import EVENTS, JournalTable
from warehouse.migrations import keep_records_for, migrate

#: A function that runs one role until a block ends.
Role = Callable[[Shared], AbstractAsyncContextManager[None]]

ALL_ROLES: Final[tuple[Role, ...]] = (run_collector, run_worker)

#: New objects after which Python looks for those that only refer to each other. Ours are hardly ever such: a request
#: takes its own away with it, and Python's usual 700 are those of a few requests under way.
_NEW_OBJECTS: Final = 10_000
#: How many looks at new objects make one at older ones, and how many of these one at all: the people in memory are many
#: objects that live long, and hold no circles.
_OLDER_OBJECTS: Final = (50, 100)

_log = structlog.get_logger("micromoment")


@asynccontextmanager
async def run_roles(settings: Settings, roles: tuple[Role, ...]) -> AsyncIterator[None]:
    """Run roles in this process until the block ends.

    Args:
        settings: the settings of the installation.
        roles: the roles in the order in which they start; they stop in the reverse order.

    Raises:
        ConfigurationError: the settings contradict each other, or name a port or address that cannot be used.
        WarehouseUnavailable: ClickHouse does not answer.
    """
    close_to_others(settings)
    embedded = parse_dsn(settings.clickhouse).embedded
    if len(roles) < len(ALL_ROLES):
        _require_shared_parts(settings, embedded=embedded)
    async with AsyncExitStack() as stack:
        if embedded:
            await stack.enter_async_context(hold_engine(socket_path(settings.data_folder)))
        warehouse = stack.enter_context(
            await asyncio.to_thread(connect, settings.clickhouse, settings.clickhouse_memory_bytes)
        )
        applied = await asyncio.to_thread(migrate, warehouse)
        await asyncio.to_thread(keep_records_for, warehouse, settings.records_days)
        _log.info("warehouse_ready", clickhouse=str(warehouse.dsn), applied=applied)
        registry = CollectorRegistry()
        bus = await stack.enter_async_context(open_bus(settings.redis, registry))
        erasures = await read_erasures(settings, warehouse)
        # The embedded engine has this machine's clock.
        read = None if embedded else partial(read_clock, warehouse)
        clock = await stack.enter_async_context(open_clock(read, registry))
        journal = await stack.enter_async_context(
            open_journal(
                settings,
                journal_name(roles),
                partial(
                    Mover,
                    warehouse=warehouse,
                    announce=announce_events(bus),
                    is_kept=erasures.may_store,
                    hurries=lambda: bus.state() != "ok",
                ),
                registry,
                adopts_spool=run_collector in roles,
                now_ms=clock.now_ms,
            )
        )
        data = await stack.enter_async_context(personal_data(settings, warehouse, erasures, journal.threads))
        shared = Shared(
            settings,
            warehouse,
            bus,
            journal.thread,
            journal.caught_up,
            registry,
            journal.storing_state,
            erasures,
            data,
            clock,
        )
        if embedded:
            path = socket_path(settings.data_folder)
            await stack.enter_async_context(serve_engine(warehouse, path, personal_routes(data)))
        else:
            hearing = hear_of_erasures(warehouse, erasures, journal.threads)
            await stack.enter_async_context(running(hearing, "erasures"))
        if run_collector in roles:
            description = await asyncio.to_thread(api_description, settings)
            await stack.enter_async_context(serve_operations(shared, "operations_port", description))
        told = start_told(settings, roles)
        await asyncio.to_thread(store_audit, warehouse, user_name(), "started", told)
        for role in roles:
            await stack.enter_async_context(role(shared))
        yield


def start_told(settings: Settings, roles: tuple[Role, ...]) -> dict[str, Any]:
    """Return what the audit says of a start: roles, version, and the settings that differ from their defaults.

    Of figures and switches the value is told, of texts only that they are set: some are secrets.
    """
    usual = Settings()
    given = {key: getattr(settings, key) for key in Settings.__struct_fields__}
    changed = {key: value for key, value in given.items() if value != getattr(usual, key)}
    return {
        "roles": [getattr(role, "__name__", "").removeprefix("run_") for role in roles],
        "version": version("micromoment"),
        "settings": {key: value if isinstance(value, int | float) else "set" for key, value in changed.items()},
    }


def journal_name(roles: tuple[Role, ...]) -> str:
    """Return the folder of the journal of a process that runs these roles."""
    if len(roles) >= len(ALL_ROLES):
        return JOURNAL_OF_ALL
    return JOURNAL_OF_COLLECTOR if run_collector in roles else JOURNAL_OF_WORKER


def announce_events(bus: Bus) -> Announce:
    """Return a function that publishes news on the bus when events are in ClickHouse."""

    async def announce(table: JournalTable) -> None:
        if table.into == EVENTS.into:
            bus.publish_news()

    return announce


async def until_stopped(running: AbstractAsyncContextManager[None], announce: Callable[[], None]) -> None:
    """Run the roles until SIGINT or SIGTERM, then stop them in order.

    Args:
        running: the roles, as `run_roles` returns them.
        announce: called once all roles are up.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with running:
        # After the start: the embedded engine and the servers install signal handlers of their own while they start.
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        announce()
        with _settled_heap():
            await stop.wait()
        _log.info("stopping")


@contextmanager
def _settled_heap() -> Iterator[None]:
    """Look for garbage seldom until the block ends, and never among what the start made.

    Modules, routes and rules stay as long as the process, and looking through all of them stops every request for
    nearly a tenth of a second.
    """
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *_OLDER_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def _require_shared_parts(settings: Settings, *, embedded: bool) -> None:
    """Raise an error when a role in a process of its own could not reach the other roles' data or messages."""
    if embedded:
        raise ConfigurationError(
            "clickhouse: the embedded engine serves one process, so a single role cannot run beside the others",
            "run `micromoment up`, or point `clickhouse` (MICROMOMENT_CLICKHOUSE) at a server",
        )
    if not settings.redis:
        raise ConfigurationError(
            "redis: roles in separate processes hear of each other through Redis, and none is set",
            "set `redis` (MICROMOMENT_REDIS), such as redis://127.0.0.1:6379/0",
        )

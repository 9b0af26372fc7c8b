"""The personal data of an installation: opened in a running process, or by a command when none runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from micromoment.configuration.kept_secrets import read_secret
from micromoment.configuration.settings import Settings
from micromoment.engine.protocol import socket_path
from micromoment.engine.socket import hold_engine
from micromoment.privacy.desk import HEARD_WITHIN_SECONDS, PersonalData
from micromoment.privacy.erasures import Erasures
from micromoment.roles.journal import JOURNAL_OF_ALL, open_journal
from warehouse.connection import Warehouse, connect
from warehouse.dsn import parse_dsn
from warehouse.erasure import clean_up, read_tombstones
from warehouse.errors import JournalError, WarehouseError
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.mover import Mover
from warehouse.journal.tables import JournalTable
from warehouse.migrations import migrate

#: Tombstones of so long before the last reading are read again: clocks differ, and inserts take a moment.
_OVERLAP_MS = 60_000
#: An erasure that began so long ago, in seconds, has ended, however it ended.
_ABANDONED_S = 3_600
_log = structlog.get_logger("micromoment.roles.personal_data")


async def read_erasures(settings: Settings, warehouse: Warehouse) -> Erasures:
    """Return what a process that starts must know of erasures, after taking back what a crash left of one.

    Cost: two queries over small tables.
    """
    erasures = Erasures(read_secret(settings))
    await asyncio.to_thread(clean_up, warehouse, 0 if parse_dsn(settings.clickhouse).embedded else _ABANDONED_S)
    erasures.take(await asyncio.to_thread(read_tombstones, warehouse))
    return erasures


@asynccontextmanager
async def personal_data(
    settings: Settings, warehouse: Warehouse, erasures: Erasures, journals: Sequence[JournalThread]
) -> AsyncIterator[PersonalData]:
    """Yield the personal data that this process reaches, until the block ends."""
    data = PersonalData(
        warehouse,
        erasures,
        journals,
        Path(settings.data_folder),
        is_alone=parse_dsn(settings.clickhouse).embedded,
        tombstone_days=settings.tombstone_days,
    )
    try:
        yield data
    finally:
        data.close()


@asynccontextmanager
async def open_personal_data(settings: Settings) -> AsyncIterator[PersonalData]:
    """Yield the personal data of an installation for a command, when no process holds the embedded engine.

    What waits in the journals is moved to ClickHouse first, as at a start. With a server, the journals are those of
    running processes, which hear of an erasure by its tombstones.

    Raises:
        WarehouseUnavailable: ClickHouse cannot be opened.
        ConfigurationError: another process uses the journal.
    """
    async with AsyncExitStack() as stack:
        if parse_dsn(settings.clickhouse).embedded:
            await stack.enter_async_context(hold_engine(socket_path(settings.data_folder)))
        warehouse = stack.enter_context(
            await asyncio.to_thread(connect, settings.clickhouse, settings.clickhouse_memory_bytes)
        )
        await asyncio.to_thread(migrate, warehouse)
        erasures = await read_erasures(settings, warehouse)
        journals: Sequence[JournalThread] = ()
        if parse_dsn(settings.clickhouse).embedded:
            opened = open_journal(
                settings,
                JOURNAL_OF_ALL,
                partial(Mover, warehouse=warehouse, announce=_announce_nothing, is_kept=erasures.may_store),
                CollectorRegistry(),
                adopts_spool=True,
            )
            journals = (await stack.enter_async_context(opened)).threads
        yield await stack.enter_async_context(personal_data(settings, warehouse, erasures, journals))


async def hear_of_erasures(warehouse: Warehouse, erasures: Erasures, journals: Sequence[JournalThread]) -> None:
    """Learn of erasures that other processes do, until cancelled: forget, and clean the journals of this process.

    Cost: every two seconds a query over a small table.
    """
    since_ms = 0
    while True:
        await asyncio.sleep(HEARD_WITHIN_SECONDS)
        try:
            marks = await asyncio.to_thread(read_tombstones, warehouse, since_ms)
        except WarehouseError as error:
            _log.warning("erasures_not_read", error=error.message, remedy=error.hint)
            continue
        if erasures.take(marks):
            await _renew(erasures, journals)
        since_ms = max([since_ms, *(mark.erased_at - _OVERLAP_MS for mark in marks)])


async def _renew(erasures: Erasures, journals: Sequence[JournalThread]) -> None:
    for journal in journals:
        try:
            await journal.renew_async(erasures.may_store)
        except JournalError as error:
            _log.error("journal_not_cleaned", error=error.message, remedy=error.hint)


async def _announce_nothing(_: JournalTable) -> None:
    """Tell nobody: no role runs."""

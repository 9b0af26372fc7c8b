"""The journal of a process, and what moves its rows to ClickHouse while the roles run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
import structlog
from prometheus_client import CollectorRegistry

from micromoment.configuration.settings import Settings
from micromoment.roles.clock import local_ms
from micromoment.roles.journal_figures import JournalFigures
from micromoment.serving import running
from warehouse.errors import ConfigurationError, JournalError, WarehouseError
from warehouse.journal.adoption import adopt_spool
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.mover import Mover
from warehouse.journal.tables import JournalLimits

#: The folder of the journal when one process runs all roles; a journal is used by one process at a time.
JOURNAL_OF_ALL: Final = "journal"
#: The folders when the roles run in processes of their own, which may share a `data_folder`.
JOURNAL_OF_COLLECTOR: Final = "journal-collector"
JOURNAL_OF_WORKER: Final = "journal-worker"
#: What a process moves as well: the journals of another division into processes, which may have been left with rows.
_EARLIER: Final = {
    JOURNAL_OF_ALL: (JOURNAL_OF_COLLECTOR, JOURNAL_OF_WORKER),
    JOURNAL_OF_COLLECTOR: (JOURNAL_OF_ALL,),
    JOURNAL_OF_WORKER: (JOURNAL_OF_ALL,),
}
#: The longest that the rows which are left may take to reach ClickHouse once the roles have stopped.
_DRAIN_WITHIN_SECONDS: Final = 5.0
_log = structlog.get_logger("micromoment.roles.journal")


class OpenJournal(msgspec.Struct, frozen=True):
    """The journal of this process.

    Args:
        thread: takes rows.
        movers: move them, and the rows of journals that other processes left.
        threads: those of all journals, this process's own first.
    """

    thread: JournalThread
    movers: tuple[Mover, ...]
    threads: tuple[JournalThread, ...]

    async def caught_up(self) -> None:
        """Wait until every row that was waiting at the start is in ClickHouse, but for those that it refuses."""
        for mover in self.movers:
            await mover.caught_up()

    def storing_state(self) -> str:
        """Return 'ok', or why ClickHouse takes no rows of some table."""
        troubles = ((lane.table.name, lane.trouble) for mover in self.movers for lane in mover.lanes.values())
        return next((f"{name}: {trouble}" for name, trouble in troubles if trouble), "ok")


@asynccontextmanager
async def open_journal(
    settings: Settings,
    name: str,
    mover_of: Callable[[JournalThread], Mover],
    registry: CollectorRegistry,
    *,
    adopts_spool: bool,
    now_ms: Callable[[], int] = local_ms,
) -> AsyncIterator[OpenJournal]:
    """Open the journal and move its rows until the block ends, then the rest for a bounded time.

    Args:
        settings: say where the journal is and how large it may be.
        name: its folder in the data folder.
        mover_of: returns what moves the rows of a journal.
        registry: gets the figures of the journal.
        now_ms: returns the present as rows are stamped with it, epoch ms.
        adopts_spool: whether the events of an earlier version are taken over, as the collector's process does.

    Raises:
        ConfigurationError: another process uses the journal, or the data folder cannot be written.
    """
    folder, limits = Path(settings.data_folder), JournalLimits(max_bytes=settings.journal_max_bytes)
    async with AsyncExitStack() as stack:
        own = await asyncio.to_thread(_open_own, folder, name, limits, adopts_spool=adopts_spool)
        journals = [own, *await asyncio.to_thread(_open_earlier, folder, name, limits)]
        moving = [await stack.enter_async_context(_moving(each, mover_of)) for each in journals]
        registry.register(JournalFigures(moving, now_ms))
        yield OpenJournal(moving[0][0], tuple(mover for _, mover in moving), tuple(thread for thread, _ in moving))


def _open_own(folder: Path, name: str, limits: JournalLimits, *, adopts_spool: bool) -> Journal:
    with ExitStack() as opened:
        journal = opened.enter_context(Journal(folder / name, limits))
        if adopts_spool:
            adopt_spool(journal, folder / "spool.sqlite", local_ms())
        opened.pop_all()
    return journal


def _open_earlier(folder: Path, name: str, limits: JournalLimits) -> list[Journal]:
    """Return the journals of another division into processes that nobody uses now."""
    found = []
    for earlier in _EARLIER[name]:
        if (folder / earlier).is_dir():
            try:
                found.append(Journal(folder / earlier, limits, lock_wait=0))
            except ConfigurationError as error:
                _log.warning("earlier_journal_not_moved", error=error.message, remedy=error.hint)
    return found


@asynccontextmanager
async def _moving(
    journal: Journal, mover_of: Callable[[JournalThread], Mover]
) -> AsyncIterator[tuple[JournalThread, Mover]]:
    with JournalThread(journal) as thread, mover_of(thread) as mover:
        async with running(mover.run(), "journal mover"):
            yield thread, mover
        with contextlib.suppress(WarehouseError, JournalError, TimeoutError):
            async with asyncio.timeout(_DRAIN_WITHIN_SECONDS):
                await mover.drain()

"""One fsync for all that waits: a single thread owns the journal, and answers after the commit.

Each turn it stages all the work that waits, makes it durable at once, and answers everyone: an answer means that the
rows are on disk. A disk that fails or is full is told to everyone who asks meanwhile, and tried again until it is well.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, Generic, Self, TypeVar

import structlog

from warehouse.errors import JournalError
from warehouse.journal.log import Journal, TableRows
from warehouse.journal.tables import JournalBatch, JournalTable, RowSetAside

T = TypeVar("T")
MAX_WORK_IN_ONE_COMMIT: Final = 512
MAX_BYTES_IN_ONE_COMMIT: Final = 4 * 1024**2
#: A journal with less room than this is said to be full before most requests are refused.
ROOM_WHEN_READY: Final = 1024**2
#: How long the thread waits between two attempts to write to a disk that failed.
REPAIR_SECONDS: Final = 1.0
_log = structlog.get_logger("warehouse.journal.group_commit")


class _Task(Generic[T]):
    """Something to do with the journal, and the future that gets its result once it is on disk."""

    __slots__ = ("action", "error", "future", "loop", "result")

    def __init__(self, action: Callable[[Journal], T], loop: asyncio.AbstractEventLoop | None) -> None:
        self.action = action
        self.loop = loop
        self.future: Any = Future[T]() if loop is None else loop.create_future()
        self.result: T | None = None
        self.error: Exception | None = None

    def begin(self) -> bool:
        """Tell whether somebody still waits for the result."""
        if self.loop is None:
            return bool(self.future.set_running_or_notify_cancel())
        return not self.future.cancelled()

    def settle(self) -> None:
        """Hand over the result, in the thread of the loop where there is one."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class JournalThread:
    """The journal's thread.

    Args:
        journal: used by nobody else from now on; closed with this.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: queue.SimpleQueue[_Task[Any] | None] = queue.SimpleQueue()
        #: Why the last commit failed; "" when it did not.
        self.trouble = ""
        self._listener: tuple[asyncio.AbstractEventLoop, Callable[[], None]] | None = None
        # Nothing is queued behind the end, where nobody would ever answer it.
        self._gate = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._gate:
            self._is_closed = True
            self._waiting.put(None)
        self._thread.join()

    @property
    def size(self) -> int:
        """Bytes of the journal on disk."""
        return self._journal.size

    def depth(self, table: JournalTable) -> int:
        """Return how many acknowledged rows of a table wait for ClickHouse."""
        return self._journal.depth(table)

    def oldest_at(self, table: JournalTable | None = None) -> int | None:
        """Return when the oldest waiting row of a table, or of all, was received (epoch ms); None when none waits."""
        return self._journal.oldest_at(table)

    def unready(self, now_ms: int) -> str:
        """Return why rows of `ROOM_WHEN_READY` bytes would be refused at `now_ms` (epoch ms), else ""."""
        return self.trouble or self._journal.refusal(now_ms, ROOM_WHEN_READY)

    def listen(self, wake: Callable[[], None]) -> None:
        """Have `wake` called in the running event loop after each commit."""
        self._listener = asyncio.get_running_loop(), wake

    def append(
        self, table: JournalTable, lines: Sequence[bytes], at: int, ids: Sequence[bytes] = ()
    ) -> Future[list[int]]:
        """Take rows; the future is done when they are on disk, with the indexes of those that had been taken before."""
        return self._submit(lambda journal: journal.append(table, lines, at, ids))

    def append_async(
        self, table: JournalTable, lines: Sequence[bytes], at: int, ids: Sequence[bytes] = ()
    ) -> asyncio.Future[list[int]]:
        """Take rows as `append` does, for the running event loop: one wake-up of the loop answers a whole commit."""
        return self._submit_async(lambda journal: journal.append(table, lines, at, ids))

    def append_together(self, rows: Sequence[TableRows], at: int) -> asyncio.Future[None]:
        """Take rows of several tables, all of them or none, for the running event loop."""
        return self._submit_async(lambda journal: journal.append_together(rows, at))

    def take(self, table: JournalTable, limit: int) -> Future[JournalBatch | None]:
        """Return the batch to insert next, its token on disk."""
        return self._submit(lambda journal: journal.take(table, limit))

    def take_async(self, table: JournalTable, limit: int) -> asyncio.Future[JournalBatch | None]:
        """Return the batch to insert next, for the running event loop."""
        return self._submit_async(lambda journal: journal.take(table, limit))

    def shrink_async(self, batch: JournalBatch) -> asyncio.Future[JournalBatch]:
        """Replace an open batch by one of its first half, for the running event loop."""
        return self._submit_async(lambda journal: journal.shrink(batch))

    def renew_async(self, is_kept: Callable[[JournalTable, bytes], bool]) -> asyncio.Future[None]:
        """Write what waits into a file of its own, without rows that are not to be kept; remove every other file."""
        return self._submit_async(lambda journal: journal.renew(is_kept))

    def find_async(
        self, is_wanted: Callable[[JournalTable, bytes], bool]
    ) -> asyncio.Future[list[tuple[JournalTable, bytes]]]:
        """Return the rows that wait or were set aside, as far as they are wanted."""
        return self._submit_async(lambda journal: journal.find(is_wanted))

    def finish(self, batch: JournalBatch, refused: Sequence[RowSetAside] = ()) -> Future[None]:
        """Forget a batch that ClickHouse has, but for the rows that it refused."""
        return self._submit(lambda journal: journal.finish(batch, refused))

    def finish_async(self, batch: JournalBatch, refused: Sequence[RowSetAside] = ()) -> asyncio.Future[None]:
        """Forget a batch as `finish` does, for the running event loop."""
        return self._submit_async(lambda journal: journal.finish(batch, refused))

    def _submit(self, action: Callable[[Journal], T]) -> Future[T]:
        future: Future[T] = self._put(_Task(action, None)).future
        return future

    def _submit_async(self, action: Callable[[Journal], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._put(_Task(action, asyncio.get_running_loop())).future
        return future

    def _put(self, work: _Task[T]) -> _Task[T]:
        with self._gate:
            if self._is_closed:
                raise JournalError("the journal is closed: the process is stopping", "send again to another collector")
            self._waiting.put(work)
        return work

    def _run(self) -> None:
        with self._journal:
            more = True
            while more:
                try:
                    first = self._waiting.get(timeout=REPAIR_SECONDS if self.trouble else None)
                except queue.Empty:
                    self._repair()
                    continue
                group, more = self._stage(first)
                self._commit(group)
                self._settle(group)

    def _stage(self, work: _Task[Any] | None) -> tuple[list[_Task[Any]], bool]:
        """Do everything that waits, and return it with whether there may be more to come after it."""
        group: list[_Task[Any]] = []
        while work is not None:
            # A request whose sender hung up was cancelled; from here on the others are not.
            if work.begin():
                self._do(work)
                group.append(work)
            full = len(group) >= MAX_WORK_IN_ONE_COMMIT or self._journal.staged_size >= MAX_BYTES_IN_ONE_COMMIT
            if full or self._waiting.empty():
                return group, True
            work = self._waiting.get()
        return group, False

    def _do(self, work: _Task[Any]) -> None:
        try:
            work.result = work.action(self._journal)
        except JournalError as error:
            work.error = error
        except OSError as error:
            work.error = self._failed(error)
        except Exception as error:  # noqa: BLE001 - a mistake in one request's work must not end the thread of all
            work.error = error

    def _commit(self, group: list[_Task[Any]]) -> None:
        try:
            self._journal.commit()
        except OSError as error:
            self._journal.rollback()
            failure = self._failed(error)
            for work in group:
                work.error = work.error or failure
        else:
            if not any(work.error for work in group):
                self.trouble = ""

    def _settle(self, group: list[_Task[Any]]) -> None:
        """Hand over the results, with one call into each event loop that waits for some of them."""
        by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Task[Any]]] = defaultdict(list)
        for work in group:
            if work.loop is None:
                work.settle()
            else:
                by_loop[work.loop].append(work)
        listening, wake = self._listener or (None, None)
        if listening is not None:
            by_loop.setdefault(listening, [])
        for loop, waiting in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle_all, waiting, wake if loop is listening else None)
            except RuntimeError:  # the loop is closed, and with it everyone who waited
                _log.debug("journal_answers_unheard", count=len(waiting))

    def _repair(self) -> None:
        try:
            self._journal.repair()
        except OSError as error:
            self._failed(error)
        else:
            self.trouble = ""
            _log.info("journal_written_again")

    def _failed(self, error: OSError) -> JournalError:
        failure = JournalError(
            f"the journal cannot be written: {error.strerror or error}", "free disk space under `data_folder`"
        )
        if self.trouble != failure.message:
            _log.error("journal_not_written", error=failure.message, remedy=failure.hint)
        self.trouble = failure.message
        return failure


def _settle_all(waiting: list[_Task[Any]], wake: Callable[[], None] | None) -> None:
    for work in waiting:
        work.settle()
    if wake is not None:
        wake()

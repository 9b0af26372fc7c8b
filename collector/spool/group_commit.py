"""Commits the spool's work in groups, with one fsync for all requests that arrived meanwhile.

A single thread owns the spool. Each turn it takes all the work that waits, does it inside one transaction, and
answers every request after the commit: an answer means that the events are on disk.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, Generic, Self, TypeVar

from collector.spool.file import RefusedRow, Spool, SpooledBatch, SpooledEvent
from warehouse.errors import SpoolError

T = TypeVar("T")
MAX_WORK_IN_ONE_COMMIT: Final = 512


class _Work(Generic[T]):
    """An action on the spool, and the future that gets its result once the result is on disk."""

    def __init__(self, action: Callable[[Spool], T]) -> None:
        self.action = action
        self.future: Future[T] = Future()
        self._result: T | None = None
        self._error: Exception | None = None

    def run(self, spool: Spool) -> None:
        """Do the action, keeping a refusal such as a full spool for its request."""
        try:
            self._result = self.action(spool)
        except SpoolError as error:
            self._error = error

    def answer(self) -> None:
        """Hand over the result after the commit."""
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._result)  # type: ignore[arg-type]  # set by run

    def fail(self, error: Exception) -> None:
        """Hand over the error for which nothing was committed."""
        self.future.set_exception(error)


class GroupCommit:
    """The thread that owns the spool, and the queue of work for it.

    Args:
        spool: used by no other thread from now on; closed with this.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._waiting: queue.SimpleQueue[_Work[Any] | None] = queue.SimpleQueue()
        # No work is queued behind the end, where it would never be answered.
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._gate:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()

    @property
    def depth(self) -> int:
        """Return how many acknowledged events wait for ClickHouse."""
        return self._spool.depth

    @property
    def is_full(self) -> bool:
        """Tell whether as many events wait as the spool may hold."""
        return self._spool.is_full

    def append(self, events: Sequence[SpooledEvent], now_ms: int) -> Future[list[SpooledEvent]]:
        """Take events; the future is done when they are on disk, with the events that had been taken before."""
        return self._submit(lambda spool: spool.append(events, now_ms))

    def take(self, limit: int) -> Future[SpooledBatch | None]:
        """Return the batch to insert next, its token on disk."""
        return self._submit(lambda spool: spool.take(limit))

    def finish(self, batch: SpooledBatch, refused: Sequence[RefusedRow] = ()) -> Future[None]:
        """Forget a batch that ClickHouse has, but keep the rows that it refused."""
        return self._submit(lambda spool: spool.finish(batch, refused))

    def _submit(self, action: Callable[[Spool], T]) -> Future[T]:
        work = _Work(action)
        with self._gate:
            if self._closed:
                raise SpoolError("the spool is closed: the collector is stopping", "send again to another collector")
            self._waiting.put(work)
        return work.future

    def _run(self) -> None:
        with self._spool:
            while (first := self._waiting.get()) is not None:
                group, more = self._gather(first)
                self._commit(group)
                if not more:
                    break

    def _gather(self, first: _Work[Any]) -> tuple[list[_Work[Any]], bool]:
        """Return the work that waits, and whether the spool stays open after it."""
        group = [first]
        while len(group) < MAX_WORK_IN_ONE_COMMIT:
            try:
                work = self._waiting.get_nowait()
            except queue.Empty:
                break
            if work is None:
                return group, False
            group.append(work)
        return group, True

    def _commit(self, waiting: list[_Work[Any]]) -> None:
        # A request whose sender hung up was cancelled; from here on the others cannot be.
        group = [work for work in waiting if work.future.set_running_or_notify_cancel()]
        try:
            self._spool.begin()
            for work in group:
                work.run(self._spool)
            self._spool.commit()
        except sqlite3.Error as error:
            self._abandon(group, error)
        else:
            for work in group:
                work.answer()

    def _abandon(self, group: list[_Work[Any]], error: sqlite3.Error) -> None:
        failure = SpoolError(f"the spool cannot be written: {error}", "free disk space under `data_folder`")
        try:
            self._spool.rollback()
        except sqlite3.Error as second:
            failure = SpoolError(f"the spool cannot be used: {second}", "see to the disk under `data_folder`")
        for work in group:
            work.fail(failure)

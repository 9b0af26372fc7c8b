"""What it costs to make an event durable and to hand it on.

Processor time of the whole process: the request's thread, the thread of the files, and the kernel's share of both.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS, FIRES, event_key

COMMITS: Final = 200
ROUNDS: Final = 3
EVENTS_IN_A_COMMIT: Final = (10, 50, 200)
ROWS_IN_A_BATCH: Final = 5_000
#: As long as a page view of the demo store.
LINE: Final = b'{"site":"shop","event":"view_item","props":"' + b"x" * 550 + b'"}'
NOW_MS: Final = 1_795_348_800_000
Append = Callable[[Sequence[str]], Future[Any]]
Move = Callable[[], int]
#: Ids that were acknowledged before, today and on each of the three days before.
FULL_DAY: Final = 1_000_000


def measure() -> list[str]:
    """Return processor time for an event of a commit of several sizes, with ids and without."""
    lines = []
    for size in EVENTS_IN_A_COMMIT:
        figures = [{name: _cost(opened, size) for name, opened in _KINDS.items()} for _ in range(ROUNDS)]
        appended = {name: median(figure[name][0] for figure in figures) for name in _KINDS}
        moved = median(figure["with ids"][1] for figure in figures)
        lines.append(
            f"{size} in a commit: append {appended['with ids']:.1f} us an event "
            f"({appended['without ids']:.1f} us without ids), take and finish {moved:.1f} us"
        )
    return [*lines, _with_full_days()]


@contextmanager
def _journal(folder: Path) -> Iterator[tuple[Append, Move]]:
    with JournalThread(Journal(folder / "journal")) as journal:

        def append(ids: Sequence[str]) -> Future[Any]:
            return journal.append(EVENTS, [LINE] * len(ids), NOW_MS, [event_key("shop", "ada", each) for each in ids])

        yield append, lambda: _move(journal)


@contextmanager
def _journal_without_ids(folder: Path) -> Iterator[tuple[Append, Move]]:
    with JournalThread(Journal(folder / "journal")) as journal:
        yield lambda ids: journal.append(FIRES, [LINE] * len(ids), NOW_MS), lambda: 1


def _move(journal: JournalThread) -> int:
    batch = journal.take(EVENTS, ROWS_IN_A_BATCH).result()
    if batch is None:
        return 0
    journal.finish(batch).result()
    return len(batch.lines)


_KINDS: Final = {"with ids": _journal, "without ids": _journal_without_ids}


def _cost(opened: Callable[[Path], Any], size: int) -> tuple[float, float]:
    """Return us of processor to append an event, and to take and finish a row."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as (append, move):
        requests = [[str(uuid.uuid4()) for _ in range(size)] for _ in range(COMMITS)]
        append(["first"]).result()
        started = time.process_time()
        for ids in requests:
            append(ids).result()
        appended = time.process_time()
        rows = 0
        while rows < COMMITS * size and (count := move()) > 1:
            rows += count
        return (appended - started) / COMMITS / size * 1e6, (time.process_time() - appended) / max(1, rows) * 1e6


def _with_full_days() -> str:
    """Return what an event costs where four days of ids are remembered."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal")
        for day in range(4):
            at = NOW_MS - (3 - day) * 86_400_000
            for begin in range(0, FULL_DAY, 10_000):
                ids = [b"%d-%d" % (day, number) for number in range(begin, begin + 10_000)]
                journal.seen.prepare(at, len(ids))
                journal.seen.add(journal.seen.hash_ids(ids), at)
        with JournalThread(journal) as group:
            requests = [[event_key("shop", "ada", str(uuid.uuid4())) for _ in range(200)] for _ in range(COMMITS)]
            started = time.process_time()
            for ids in requests:
                group.append(EVENTS, [LINE] * 200, NOW_MS, ids).result()
            cost = (time.process_time() - started) / COMMITS / 200 * 1e6
    return f"append, 200 in a commit, {FULL_DAY:,} ids of each of four days remembered: {cost:.1f} us"

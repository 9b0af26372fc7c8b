from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.waiting import until
from tests.warehouse.journal.journals import NOON, SMALL_SEGMENT, Disk, failing_disk, key, line, names
from warehouse.errors import JournalError, JournalFull
from warehouse.journal.group_commit import MAX_WORK_IN_ONE_COMMIT, JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.tables import EVENTS, FIRES, JournalLimits

WAIT_SECONDS = 10


class CountingJournal(Journal):
    """Counts its commits."""

    commits = 0

    def commit(self) -> None:
        self.commits += 1
        super().commit()


class FailingJournal(CountingJournal):
    """Cannot commit while `fails` is set, as when a disk is full."""

    fails = False

    def commit(self) -> None:
        if self.fails and self._staged.records:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().commit()

    def repair(self) -> None:
        if self.fails:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Held:
    """Keeps the journal's thread busy, so that work gathers behind it."""

    def __init__(self, group: JournalThread) -> None:
        self._let_go = Event()
        begun = Event()

        def hold(_: Journal) -> bool:
            begun.set()
            return self._let_go.wait(WAIT_SECONDS)

        self._work = group._submit(hold)
        begun.wait(WAIT_SECONDS)

    def let_go(self) -> None:
        self._let_go.set()
        self._work.result(WAIT_SECONDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def disk() -> Iterator[Disk]:
    with failing_disk() as disk:
        yield disk


def append(group: JournalThread, *events: str) -> Future[list[int]]:
    return group.append(EVENTS, [line(name) for name in events], NOON, [key(name) for name in events])


def append_async(group: JournalThread, *events: str) -> asyncio.Future[list[int]]:
    return group.append_async(EVENTS, [line(name) for name in events], NOON, [key(name) for name in events])


def taken(group: JournalThread) -> list[str]:
    return names(group.take(EVENTS, 1000).result(WAIT_SECONDS))


def test_work_that_gathered_is_one_commit(path: Path) -> None:
    journal = CountingJournal(path)
    with JournalThread(journal) as group:
        held = Held(group)
        futures = [append(group, f"e{number}") for number in range(100)]
        futures += [group.append(FIRES, [b"{}"], NOON)]
        held.let_go()
        assert [future.result(WAIT_SECONDS) for future in futures] == [[]] * 101
        assert (journal.commits, group.depth(EVENTS), group.depth(FIRES)) == (1, 100, 1)


def test_a_commit_takes_no_more_than_its_share(path: Path) -> None:
    journal = CountingJournal(path)
    with JournalThread(journal) as group:
        held = Held(group)
        futures = [append(group, f"e{number}") for number in range(MAX_WORK_IN_ONE_COMMIT + 1)]
        held.let_go()
        futures[-1].result(WAIT_SECONDS)
        assert journal.commits == 2


def test_many_threads_are_all_answered_and_all_is_on_disk(path: Path) -> None:
    with JournalThread(Journal(path)) as group, ThreadPoolExecutor(8) as pool:

        def send(number: int) -> list[int]:
            return append(group, *(f"{number}-{step}" for step in range(10))).result(WAIT_SECONDS)

        assert list(pool.map(send, range(50))) == [[]] * 50
    with Journal(path) as journal:
        assert journal.depth(EVENTS) == 500


def test_nobody_is_answered_before_the_commit(path: Path) -> None:
    answered: list[bool] = []

    class Watching(Journal):
        def commit(self) -> None:
            answered.extend(future.done() for future in futures)
            super().commit()

    futures: list[Future[list[int]]] = []
    with JournalThread(Watching(path)) as group:
        held = Held(group)
        futures += [append(group, f"e{number}") for number in range(3)]
        held.let_go()
        futures[-1].result(WAIT_SECONDS)
    assert not any(answered[:3])


async def test_an_event_loop_is_woken_once_for_a_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    calls: list[object] = []
    original = loop.call_soon_threadsafe
    with JournalThread(Journal(path)) as group:
        news: list[int] = []
        group.listen(lambda: news.append(group.depth(EVENTS)))
        held = Held(group)
        futures = [append_async(group, f"e{number}") for number in range(100)]

        def counted(*args: Any) -> object:
            calls.append(args)
            return original(*args)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        held.let_go()
        assert await asyncio.gather(*futures) == [[]] * 100
        assert len(calls) == 1
        assert news == [100], "who listens is told as well"


async def test_a_request_that_was_given_up_is_not_done_and_harms_nobody(path: Path) -> None:
    with JournalThread(Journal(path)) as group:
        held = Held(group)
        gone, stays, gone_too = append_async(group, "gone"), append_async(group, "stays"), append(group, "gone too")
        assert gone.cancel()
        assert gone_too.cancel()
        held.let_go()
        assert await stays == []
        assert await append_async(group, "later") == []
        assert taken(group) == ["stays", "later"]


async def test_a_loop_that_ended_keeps_nobody_from_being_answered(path: Path) -> None:
    with JournalThread(Journal(path)) as group:

        def ask_and_leave() -> None:
            async def ask() -> None:
                group.listen(lambda: None)
                append_async(group, "left alone")

            asyncio.run(ask())

        held = Held(group)
        await asyncio.to_thread(ask_and_leave)
        held.let_go()
        assert await append_async(group, "here") == []
        assert taken(group) == ["left alone", "here"]


def test_a_repeat_is_told_to_the_one_who_sent_it(path: Path) -> None:
    with JournalThread(Journal(path)) as group:
        held = Held(group)
        first, second = append(group, "a"), append(group, "a", "b")
        held.let_go()
        assert (first.result(WAIT_SECONDS), second.result(WAIT_SECONDS)) == ([], [0])
        assert group.depth(EVENTS) == 2


def test_a_full_journal_refuses_one_and_keeps_the_others_of_the_same_commit(path: Path) -> None:
    with JournalThread(Journal(path, JournalLimits(max_bytes=500))) as group:
        held = Held(group)
        small, large, other = append(group, "a"), append(group, "b", "c"), append(group, "d")
        held.let_go()
        assert small.result(WAIT_SECONDS) == other.result(WAIT_SECONDS) == []
        with pytest.raises(JournalFull):
            large.result(WAIT_SECONDS)
        assert group.depth(EVENTS) == 2


def test_a_mistake_in_one_work_is_told_to_its_owner_alone(path: Path) -> None:
    with JournalThread(Journal(path)) as group:
        held = Held(group)
        wrong = group._submit(lambda journal: 1 // 0)
        right = append(group, "a")
        held.let_go()
        with pytest.raises(ZeroDivisionError):
            wrong.result(WAIT_SECONDS)
        assert right.result(WAIT_SECONDS) == []


async def test_a_disk_that_fails_is_told_to_all_until_it_is_well_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.journal.group_commit.REPAIR_SECONDS", 0.01)
    journal = FailingJournal(path)
    with JournalThread(journal) as group:
        held = Held(group)
        futures = [append(group, f"e{number}") for number in range(3)]
        journal.fails = True
        with pytest.raises(JournalError):
            held.let_go()
        for future in futures:
            with pytest.raises(JournalError, match="No space left") as caught:
                future.result(WAIT_SECONDS)
            assert "data_folder" in caught.value.hint
        assert group.depth(EVENTS) == 0
        assert "No space left" in group.unready(NOON)
        # Nobody asks meanwhile: readiness comes back by itself, so that requests do.
        journal.fails = False
        await until(lambda: not group.unready(NOON))
        assert append(group, "e0").result(WAIT_SECONDS) == []
        assert taken(group) == ["e0"]


async def test_a_disk_that_filled_up_is_recovered_from(path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.journal.group_commit.REPAIR_SECONDS", 0.01)
    with JournalThread(Journal(path, JournalLimits(segment_bytes=SMALL_SEGMENT))) as group:
        disk.is_full = True
        with pytest.raises(JournalError, match="No space left"):
            append(group, "a").result(WAIT_SECONDS)
        assert group.unready(NOON)
        disk.is_full = False
        await until(lambda: not group.unready(NOON))
        disk.fails_after = 0.5
        with pytest.raises(JournalError, match="Input/output"):
            append(group, "a").result(WAIT_SECONDS)
        assert append(group, "a").result(WAIT_SECONDS) == []
        assert not group.unready(NOON)
        assert taken(group) == ["a"]


def test_closing_does_what_waits(path: Path) -> None:
    with JournalThread(Journal(path)) as group:
        futures = [append(group, f"e{number}") for number in range(20)]
    assert [future.result(0) for future in futures] == [[]] * 20
    with Journal(path) as journal:
        assert journal.depth(EVENTS) == 20


@pytest.mark.parametrize(
    "ask", [lambda group: append(group, "late"), lambda group: group.take(EVENTS, 10)], ids=["append", "take"]
)
def test_what_comes_after_closing_is_refused_and_never_left_waiting(
    path: Path, ask: Callable[[JournalThread], object]
) -> None:
    with JournalThread(Journal(path)) as group:
        pass
    with pytest.raises(JournalError, match="closed"):
        ask(group)

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from collector.spool.file import Spool, SpooledEvent
from collector.spool.group_commit import MAX_WORK_IN_ONE_COMMIT, GroupCommit
from tests.collector.messages import NOON
from tests.collector.spools import CountingSpool, FailingSpool, spooled
from warehouse.errors import SpoolError, SpoolFull

WAIT_SECONDS = 10


class Held:
    """Keeps the spool's thread busy, so that work gathers behind it."""

    def __init__(self, group: GroupCommit) -> None:
        self._let_go = Event()
        begun = Event()

        def hold(_: Spool) -> bool:
            begun.set()
            return self._let_go.wait(WAIT_SECONDS)

        self._work = group._submit(hold)
        begun.wait(WAIT_SECONDS)

    def let_go(self) -> None:
        self._let_go.set()
        self._work.result(WAIT_SECONDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite"


def test_work_that_gathered_is_one_commit(path: Path) -> None:
    spool = CountingSpool(path)
    with GroupCommit(spool) as group:
        held = Held(group)
        futures = [group.append([spooled(f"e{number}")], NOON) for number in range(100)]
        held.let_go()
        assert [future.result(WAIT_SECONDS) for future in futures] == [[]] * 100
        assert (spool.commits, group.depth) == (2, 100)


def test_a_commit_takes_no_more_than_its_share(path: Path) -> None:
    spool = CountingSpool(path)
    with GroupCommit(spool) as group:
        held = Held(group)
        futures = [group.append([spooled(f"e{number}")], NOON) for number in range(MAX_WORK_IN_ONE_COMMIT + 1)]
        held.let_go()
        futures[-1].result(WAIT_SECONDS)
        assert spool.commits == 3


def test_many_threads_are_all_answered_and_all_is_on_disk(path: Path) -> None:
    with GroupCommit(Spool(path)) as group, ThreadPoolExecutor(8) as pool:

        def send(number: int) -> list[SpooledEvent]:
            return group.append([spooled(f"{number}-{step}") for step in range(10)], NOON).result(WAIT_SECONDS)

        assert list(pool.map(send, range(50))) == [[]] * 50
    with Spool(path) as spool:
        assert spool.depth == 500


def test_nobody_is_answered_before_the_commit(path: Path) -> None:
    answered: list[bool] = []

    class Watching(Spool):
        def commit(self) -> None:
            answered.extend(future.done() for future in futures)
            super().commit()

    futures: list[Future[list[SpooledEvent]]] = []
    with GroupCommit(Watching(path)) as group:
        held = Held(group)
        futures += [group.append([spooled(f"e{number}")], NOON) for number in range(3)]
        held.let_go()
        futures[-1].result(WAIT_SECONDS)
    assert not any(answered)


def test_a_repeat_is_told_to_the_one_who_sent_it(path: Path) -> None:
    with GroupCommit(Spool(path)) as group:
        held = Held(group)
        first = group.append([spooled("a")], NOON)
        second = group.append([spooled("a"), spooled("b")], NOON)
        held.let_go()
        assert first.result(WAIT_SECONDS) == []
        assert [event.event_id for event in second.result(WAIT_SECONDS)] == ["a"]
        assert group.depth == 2


def test_a_full_spool_refuses_one_and_keeps_the_others_of_the_same_commit(path: Path) -> None:
    with GroupCommit(Spool(path, max_events=2)) as group:
        held = Held(group)
        small = group.append([spooled("a")], NOON)
        large = group.append([spooled("b"), spooled("c")], NOON)
        other = group.append([spooled("d")], NOON)
        held.let_go()
        assert small.result(WAIT_SECONDS) == other.result(WAIT_SECONDS) == []
        with pytest.raises(SpoolFull):
            large.result(WAIT_SECONDS)
        assert group.depth == 2


@pytest.mark.parametrize("step", ["begin", "commit"])
def test_a_disk_that_fails_is_told_to_all_and_nothing_is_kept(path: Path, step: str) -> None:
    spool = FailingSpool(path)
    with GroupCommit(spool) as group:
        held = Held(group)
        futures = [group.append([spooled(f"e{number}")], NOON) for number in range(3)]
        spool.trouble = step
        # What holds the thread is in the commit before; it fails with it when the step is the commit.
        _release(held, fails=step == "commit")
        for future in futures:
            with pytest.raises(SpoolError, match="disk is full") as caught:
                future.result(WAIT_SECONDS)
            assert "data_folder" in caught.value.hint
        assert group.depth == 0


def test_once_the_disk_is_well_again_the_same_events_are_taken(path: Path) -> None:
    spool = FailingSpool(path)
    with GroupCommit(spool) as group:
        spool.trouble = "commit"
        with pytest.raises(SpoolError):
            group.append([spooled("a")], NOON).result(WAIT_SECONDS)
        spool.trouble = ""
        assert group.append([spooled("a")], NOON).result(WAIT_SECONDS) == []
        batch = group.take(10).result(WAIT_SECONDS)
        assert batch is not None
        assert batch.lines == [spooled("a").line]


def test_work_whose_sender_hung_up_is_not_done_and_harms_nobody(path: Path) -> None:
    with GroupCommit(Spool(path)) as group:
        held = Held(group)
        gone = group.append([spooled("gone")], NOON)
        stays = group.append([spooled("stays")], NOON)
        assert gone.cancel()
        held.let_go()
        assert stays.result(WAIT_SECONDS) == []
        assert group.append([spooled("later")], NOON).result(WAIT_SECONDS) == []
        batch = group.take(10).result(WAIT_SECONDS)
        assert batch is not None
        assert batch.lines == [spooled("stays").line, spooled("later").line]


def test_closing_does_what_waits(path: Path) -> None:
    with GroupCommit(Spool(path)) as group:
        futures = [group.append([spooled(f"e{number}")], NOON) for number in range(20)]
    assert [future.result(0) for future in futures] == [[]] * 20
    with Spool(path) as spool:
        assert spool.depth == 20


@pytest.mark.parametrize(
    "ask",
    [
        lambda group: group.append([spooled("late")], NOON),
        lambda group: group.take(10),
    ],
    ids=["append", "take"],
)
def test_what_comes_after_closing_is_refused_and_never_left_waiting(
    path: Path, ask: Callable[[GroupCommit], object]
) -> None:
    with GroupCommit(Spool(path)) as group:
        pass
    with pytest.raises(SpoolError, match="closed"):
        ask(group)


def _release(held: Held, *, fails: bool) -> None:
    if not fails:
        held.let_go()
        return
    with pytest.raises(SpoolError):
        held.let_go()

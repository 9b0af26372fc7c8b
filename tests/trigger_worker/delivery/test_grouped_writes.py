"""What comes while something is written goes together into the next write."""

from __future__ import annotations

import asyncio

import pytest

from tests.waiting import until
from trigger_worker.delivery.grouped_writes import GroupedWrites


class Table:
    """Takes rows when it is let, and refuses what it is told to."""

    def __init__(self, *refused: str) -> None:
        self.groups: list[list[str]] = []
        self.free = asyncio.Event()
        self._refused = refused

    async def write(self, rows: list[str]) -> list[str]:
        self.groups.append(rows)
        await self.free.wait()
        return [row for row in rows if row in self._refused]


async def test_rows_wait_for_the_write_before_them_and_go_together() -> None:
    table = Table()
    writes = GroupedWrites(table.write)
    answers = [writes.add("a")]
    await until(lambda: table.groups == [["a"]])
    answers += [writes.add(name) for name in ("b", "c", "d")]
    table.free.set()
    assert await asyncio.gather(*answers) == [True] * 4
    assert table.groups == [["a"], ["b", "c", "d"]]
    assert writes.open_tasks() == set() or all(task.done() for task in writes.open_tasks())


async def test_each_row_learns_whether_it_was_refused() -> None:
    table = Table("bad")
    table.free.set()
    writes = GroupedWrites(table.write)
    assert await asyncio.gather(*map(writes.add, ("good", "bad", "fine"))) == [True, False, True]


async def test_a_mistake_in_writing_reaches_those_who_wait_and_not_those_who_come_later() -> None:
    mistakes = [TypeError("no such row")]

    async def write(rows: list[str]) -> list[str]:
        if mistakes:
            raise mistakes.pop()
        return []

    writes = GroupedWrites(write)
    answer = writes.add("a")
    (task,) = writes.open_tasks()
    with pytest.raises(TypeError, match="no such row"):
        await task
    assert answer.cancelled()
    assert await writes.add("b") is True


async def test_what_nobody_waits_for_leaves_the_table_alone_for_a_multiple_of_the_time_it_took() -> None:
    table = Table()
    table.free.set()
    writes = GroupedWrites(table.write, rest=1_000_000.0)
    assert await writes.add("a")
    kept_back = [writes.add("b"), writes.add("c")]
    await asyncio.sleep(0)
    assert table.groups == [["a"]]
    (task,) = writes.open_tasks()
    task.cancel()
    await asyncio.wait([task])
    assert not any(answer.done() for answer in kept_back)

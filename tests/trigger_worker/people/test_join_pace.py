"""How often joins of one id are read about at once."""

from __future__ import annotations

import pytest

from trigger_worker.people import source
from trigger_worker.people.source import JOINS_A_MINUTE, JoinPace
from trigger_worker.store.people import Visitor

MINUTE_MS = 60_000


def visitor(name: str, site: str = "shop") -> Visitor:
    return Visitor(site, name)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_browser_joins_so_many_users_a_minute_and_a_user_so_many_browsers(swapped: bool) -> None:
    pace = JoinPace()

    def takes(number: int, at: int) -> bool:
        one, other = visitor("one"), visitor(f"other-{number}")
        return pace.takes(other, one, at) if swapped else pace.takes(one, other, at)

    assert [takes(number, 1_000 + number) for number in range(JOINS_A_MINUTE + 2)] == [
        *[True] * JOINS_A_MINUTE,
        False,
        False,
    ]
    assert not takes(100, 1_000 + MINUTE_MS - 1)
    assert takes(101, 1_000 + MINUTE_MS)
    assert pace.takes(visitor("one", "another shop"), visitor("x", "another shop"), 1_000)


def test_the_ids_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_IDS", 4)
    pace = JoinPace()
    for number in range(100):
        pace.takes(visitor(f"u{number}"), visitor(f"b{number}"), 0)
    assert len(pace._counts) == 4

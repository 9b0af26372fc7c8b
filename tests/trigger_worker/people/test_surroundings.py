"""Devices and time zones over time, added event by event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.people.surroundings import Surroundings

DEVICE = frozenset({"device"})


def series(changes: Iterable[tuple[int, str]]) -> list[str | None]:
    """Return the value at every instant from 0 to 12."""
    known = list(changes)
    return [next((value for at, value in reversed(known) if at <= instant), None) for instant in range(13)]


@pytest.mark.parametrize(
    ("at", "value", "fits"),
    [
        (5, "mobile", True),
        (5, "desktop", False),
        (10, "mobile", True),
        (10, "desktop", False),
        (15, "mobile", True),
        (15, "desktop", False),
        (20, "desktop", True),
        (20, "mobile", False),
        (25, "desktop", True),
        (25, "mobile", False),
        (30, "mobile", False),
        (31, "mobile", True),
        (31, "desktop", True),
    ],
)
def test_an_event_that_came_late_fits_where_it_tells_what_is_known(at: int, value: str, fits: bool) -> None:
    known = Surroundings({"device": [(10, "mobile"), (20, "desktop"), (30, "desktop")]})
    assert known.fit(at, {"device": value}, DEVICE) is fits


def test_what_was_repeated_since_is_not_overtaken_by_what_came_late() -> None:
    known = Surroundings()
    for at, value in ((10, "mobile"), (20, "mobile"), (30, "mobile")):
        known.add(at, {"device": value}, DEVICE)
    assert not known.fit(25, {"device": "desktop"}, DEVICE)
    assert known.changes == {"device": [(10, "mobile"), (30, "mobile")]}


@pytest.mark.parametrize("fields", [{}, {"device": ""}, {"device": None}, {"device": True}, {"device": {"a": 1}}])
def test_an_event_that_tells_nothing_always_fits_and_changes_nothing(fields: dict[str, Any]) -> None:
    known = Surroundings({"device": [(10, "mobile")]})
    assert known.fit(5, fields, DEVICE)
    known.add(5, fields, DEVICE)
    assert known.changes == {"device": [(10, "mobile")]}


def test_fields_that_nobody_looks_at_are_not_kept() -> None:
    known = Surroundings()
    known.add(10, {"device": "mobile", "country": "DE"}, DEVICE)
    assert known.changes == {"device": [(10, "mobile")]}
    assert known.fit(5, {"device": "mobile", "country": "FR"}, DEVICE)


told = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab")), max_size=12)


@given(told, st.integers(0, 12))
def test_whatever_fits_leads_to_what_all_events_tell_in_order(events: list[tuple[int, str]], read: int) -> None:
    """Those before `read` were read in order; of the others each is added where it fits, in the order of arrival."""
    known = Surroundings()
    for at, value in sorted(events[:read]):
        known.add(at, {"device": value}, DEVICE)
    taken = sorted(events[:read])
    for at, value in events[read:]:
        if known.fit(at, {"device": value}, DEVICE):
            known.add(at, {"device": value}, DEVICE)
            taken.append((at, value))
    instants = [at for at, _ in taken]
    clear = [(at, value) for at, value in taken if instants.count(at) == 1]
    if len(clear) == len(taken):
        assert series(known.changes.get("device", [])) == series(sorted(taken))
    kept = [value for _, value in known.changes.get("device", [])]
    assert not any(first == second == third for first, second, third in zip(kept, kept[1:], kept[2:], strict=False))

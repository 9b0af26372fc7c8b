"""Devices and time zones over time, added event by event."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.people.surroundings import Surroundings
from trigger_worker.rules.evaluate.event import Event

DEVICE = frozenset({"device"})
#: An instant, the id of an event, and the device that it tells.
Told = tuple[int, str, str]


def event(at: int, event_id: str = "e", **fields: Any) -> Event:
    return Event("hover", at, event_id, fields)


def made(*told: Told) -> Surroundings:
    """Return surroundings as they are read when these events are in the table."""
    ordered = sorted(told)
    changes = [one for before, one in zip([None, *ordered], ordered, strict=False) if not before or before[2] != one[2]]
    if ordered and changes[-1] != ordered[-1]:
        changes.append(ordered[-1])
    return Surroundings({"device": [(at, value, event_id) for at, event_id, value in changes]})


def series(known: Surroundings) -> list[str | None]:
    """Return the device at every instant from 0 to 40."""
    changes = known.changes.get("device", [])
    return [next((value for at, value in reversed(changes) if at <= instant), None) for instant in range(41)]


@pytest.mark.parametrize(
    ("at", "event_id", "value", "fits"),
    [
        (5, "e", "mobile", True),
        (5, "e", "desktop", False),
        (10, "e", "mobile", True),
        (10, "e", "desktop", False),
        (15, "e", "mobile", True),
        (15, "e", "desktop", False),
        (20, "e", "desktop", True),
        (20, "e", "mobile", False),
        (25, "e", "desktop", True),
        (25, "e", "mobile", False),
        (30, "d", "mobile", False),
        (30, "d", "desktop", True),
        (30, "f", "mobile", True),
        (31, "a", "mobile", True),
        (31, "a", "desktop", True),
    ],
)
def test_an_event_that_came_late_fits_where_it_tells_what_is_known(
    at: int, event_id: str, value: str, fits: bool
) -> None:
    told: list[Told] = [(10, "e", "mobile"), (20, "e", "desktop"), (30, "e", "desktop")]
    grown = Surroundings()
    for known_at, known_id, device in told:
        grown.add(event(known_at, known_id, device=device), DEVICE)
    for known in (made(*told), grown):
        assert known.fit(event(at, event_id, device=value), DEVICE) is fits


@pytest.mark.parametrize("fields", [{}, {"device": ""}, {"device": None}, {"device": True}, {"device": {"a": 1}}])
def test_an_event_that_tells_nothing_always_fits_and_changes_nothing(fields: dict[str, Any]) -> None:
    known = made((10, "e", "mobile"))
    for at in (5, 15):
        assert known.fit(event(at, **fields), DEVICE)
        known.add(event(at, **fields), DEVICE)
    assert known.changes == {"device": [(10, "mobile")]}
    assert known.fit(event(11, device="desktop"), DEVICE)


def test_fields_that_nobody_looks_at_are_not_kept() -> None:
    known = Surroundings()
    known.add(event(10, device="mobile", country="DE"), DEVICE)
    assert known.changes == {"device": [(10, "mobile")]}
    assert known.fit(event(5, device="mobile", country="FR"), DEVICE)


def test_of_an_event_that_tells_two_fields_both_must_fit() -> None:
    both = frozenset({"device", "country"})
    known = Surroundings()
    known.add(event(10, device="mobile", country="DE"), both)
    assert known.fit(event(5, device="mobile", country="DE"), both)
    assert not known.fit(event(5, device="mobile", country="FR"), both)
    assert not known.fit(event(5, device="tablet", country="DE"), both)


events = st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abc"), st.sampled_from(["mobile", "desktop"])))


@given(events, st.integers(0, 8), st.randoms(use_true_random=False))
def test_whatever_fits_leads_to_what_all_events_tell_in_order(told: list[Told], count: int, random: Random) -> None:
    """Some were read in order; of the others each is added where it fits, in any order of arrival."""
    told = list({(at, event_id): (at, event_id, value) for at, event_id, value in told}.values())
    random.shuffle(told)
    known, taken = made(*told[:count]), told[:count]
    for at, event_id, value in told[count:]:
        one = event(at, event_id, device=value)
        if known.fit(one, DEVICE):
            known.add(one, DEVICE)
            taken.append((at, event_id, value))
    assert series(known) == series(made(*taken))


@given(events)
def test_what_comes_in_order_always_fits(told: Iterable[Told]) -> None:
    known = Surroundings()
    ordered = sorted({(at, event_id): value for at, event_id, value in told}.items())
    for (at, event_id), value in ordered:
        one = event(at, event_id, device=value)
        assert known.fit(one, DEVICE)
        known.add(one, DEVICE)
    kept = known.changes.get("device", [])
    assert all(first[1] != second[1] for first, second in pairwise(kept))

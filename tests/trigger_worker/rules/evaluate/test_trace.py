"""How far a visitor came in a pattern."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.support import NOON, event, ms, rule
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.pattern import PatternMatcher
from trigger_worker.rules.evaluate.trace import Trace, trace

PATTERNS = (
    "hover",
    "hover -> click",
    "hover -> hover within 2s",
    "hover -> click within 2s -> no copy within 3s",
    "(hover or click) -> no copy within 2s",
    "any -> no any within 2s",
)


def traced(text: str, *events: Event) -> Trace:
    read = rule(text)
    return trace(read.when, read.key, History(events))


def told(found: Trace) -> list[tuple[bool, int | None]]:
    """Of each step whether it was met, and the milliseconds after noon of its event."""
    return [(step.met, None if step.event is None else step.event.ts - NOON) for step in found.steps]


@pytest.mark.parametrize(
    ("when", "events", "expected"),
    [
        ("hover -> click", {}, [(False, None), (False, None)]),
        ("hover -> click", {"hover": "1s"}, [(True, 1000), (False, None)]),
        ("hover -> click", {"click": "1s"}, [(False, None), (False, 1000)]),
        ("hover -> click within 1s", {"hover": "1s", "click": "3s"}, [(True, 1000), (False, 3000)]),
        ("hover -> click within 2s", {"hover": "1s", "click": "3s"}, [(True, 1000), (True, 3000)]),
        ("hover[price > 5]", {"hover": "1s"}, [(False, None)]),
    ],
)
def test_each_step_names_the_event_that_met_it_or_the_latest_that_fits(
    when: str, events: dict[str, str], expected: list[tuple[bool, int | None]]
) -> None:
    found = traced(f"when: '{when}'", *(event(name, after) for name, after in events.items()))
    assert told(found) == expected


def test_the_latest_chain_is_told() -> None:
    events = [
        event(name, after) for name, after in (("hover", "1s"), ("hover", "2s"), ("click", "3s"), ("hover", "4s"))
    ]
    assert told(traced("when: hover -> click", *events)) == [(True, 2000), (True, 3000)]


def test_the_event_that_should_not_have_come_is_told() -> None:
    found = traced("when: hover -> no click within 2s", event("hover"), event("click", "1s"), event("click", "2s"))
    assert found.absence == "no click within 2s"
    assert found.match_at == NOON + 2000
    assert found.disturbance is not None
    assert found.disturbance.ts == NOON + 1000


def test_an_event_after_the_wait_disturbs_nothing() -> None:
    found = traced("when: hover -> no click within 2s", event("hover"), event("click", "2001ms"))
    assert found.disturbance is None


def test_of_several_keys_the_one_that_came_farthest_is_told() -> None:
    events = [
        event("hover", "1s", product_id="p"),
        event("click", "2s", product_id="p"),
        event("hover", "3s", product_id="q"),
    ]
    found = traced("when: hover -> click\nkey: product_id", *events)
    assert (found.key, told(found)) == ("p", [(True, 1000), (True, 2000)])


def test_without_an_event_that_has_the_key_nothing_is_met() -> None:
    assert told(traced("when: hover\nkey: product_id", event("hover"))) == [(False, None)]


@given(
    st.sampled_from(PATTERNS),
    st.sampled_from(["", "\nkey: product_id"]),
    st.lists(st.tuples(st.sampled_from(["hover", "click", "copy"]), st.integers(0, 8), st.sampled_from("pq"))),
)
def test_a_pattern_that_is_over_and_undisturbed_is_a_match_and_no_other(
    when: str, key: str, happened: list[tuple[str, int, str]]
) -> None:
    events = [event(name, f"{second}s", product_id=product) for name, second, product in happened]
    read = rule(f"when: {when}{key}")
    history = History(events)
    found = trace(read.when, read.key, history)
    at = NOON + ms("60s")
    matches = [(match.at, match.key) for match in PatternMatcher(read.when, read.key).matches(history, NOON, at)]
    if found.match_at is None:
        assert matches == []
    else:
        assert ((found.match_at, found.key) in matches) is (found.disturbance is None)
        assert all(step.met for step in found.steps)

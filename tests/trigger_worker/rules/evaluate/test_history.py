"""A visitor's events in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, event, ms, rule
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.selector import Selector, compile_selection
from trigger_worker.rules.language.syntax import Name, Selection


def test_events_are_ordered_by_instant_and_then_by_id_as_text() -> None:
    history = History([event("a", "1s", "x"), event("b", "0s", "x10"), event("c", "0s", "x9")])
    assert [each.name for each in history.events] == ["b", "c", "a"]


def test_of_events_with_one_id_the_earliest_counts() -> None:
    history = History([event("a", "2s", "x"), event("a", "1s", "x"), event("a", "3s", "x")])
    assert [each.ts - NOON for each in history.events] == [1000]


def test_contexts_that_are_given_replace_the_events_own() -> None:
    changes = {"device": [(NOON, "mobile"), (NOON + ms("1h"), "desktop")]}
    history = History([event("a", device="tablet", country="DE")], changes)
    assert history.context("device").at(NOON - 1) is None
    assert history.context("device").at(NOON) == "mobile"
    assert history.context("device").at(NOON + ms("2h")) == "desktop"
    assert history.context("country").at(NOON) is None


def test_equal_selections_are_worked_out_once() -> None:
    history = History([event("a"), event("b", "1s")])
    first = history.select(compile_selection(Selection(0, ("a", "b"))))
    again = history.select(compile_selection(Selection(7, ("b", "a"))))
    assert first is again
    assert first.ranks == [0, 1]


@pytest.mark.parametrize("selected_before", [False, True])
@pytest.mark.parametrize(
    ("text", "since", "until", "expected"),
    [
        ("any", "0s", "9s", ["0s", "1s", "3s", "4s"]),
        ("any", "1s", "3s", ["1s", "3s"]),
        ("hover", "0s", "9s", ["0s", "3s"]),
        ("hover", "1s", "2s", []),
        ("(hover or click)", "1s", "3s", ["1s", "3s"]),
        ("hover[price > 1]", "0s", "9s", ["3s"]),
        ("hover[price > 1]", "0s", "2s", []),
        ("email_opened", "0s", "9s", ["2s"]),
        ("copy", "0s", "9s", []),
    ],
)
def test_events_within_a_span_are_found_whether_or_not_all_were_selected_before(
    text: str, since: str, until: str, expected: list[str], selected_before: bool
) -> None:
    history = History(
        [
            event("hover", "0s", price=1),
            event("click", "1s"),
            event("email_opened", "2s"),
            event("hover", "3s", price=2),
            event("scroll", "4s"),
        ]
    )
    selector = compile_selection(rule(f"when: {text}").when.steps[0].selection)
    if selected_before:
        history.select(selector)
    found = history.within(selector, NOON + ms(since), NOON + ms(until))
    assert [each.ts for each in found] == [NOON + ms(each) for each in expected]


def test_a_condition_is_asked_of_no_event_outside_a_span() -> None:
    asked: list[float] = []

    def note(fields: Mapping[str, Any]) -> bool:
        asked.append(fields["price"])
        return True

    selector = Selector("hover", frozenset({"hover"}), note)
    history = History([event("hover", f"{second}s", price=second) for second in range(5)])
    assert len(history.within(selector, NOON + ms("1s"), NOON + ms("2s"))) == 2
    assert asked == [1, 2]


def test_what_is_derived_is_derived_once() -> None:
    history = History([event("a")])
    assert history.derived("names", lambda own: [each.name for each in own.events]) == ["a"]
    assert history.derived("names", lambda _: ["another"]) == ["a"]


def test_fields_stand_beside_their_events() -> None:
    selector = compile_selection(Selection(0, ("a",)))
    history = History([event("a", price=5), event("a", "1s"), event("a", "2s", price="x")])
    assert history.field(selector, Name(0, ("price",))) == [5.0, None, "x"]

"""A visitor's events in order."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.generate import Generator
from tests.trigger_worker.rules.evaluate.support import NOON, event, ms, rule
from trigger_worker.rules.evaluate.event import Event
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


def test_what_is_derived_is_derived_once_until_an_event_comes_between_others() -> None:
    history = History([event("a", "1s")])
    assert history.derived("names", lambda own: [each.name for each in own.events]) == ["a"]
    history.add([event("b", "2s")])
    assert history.derived("names", lambda _: ["another"]) == ["a"]
    history.add([event("c")])
    assert history.derived("names", lambda _: ["another"]) == ["another"]


def test_fields_stand_beside_their_events() -> None:
    selector = compile_selection(Selection(0, ("a",)))
    history = History([event("a", price=5), event("a", "1s"), event("a", "2s", price="x")])
    assert history.field(selector, Name(0, ("price",))) == [5.0, None, "x"]


SELECTORS: Final = [
    compile_selection(rule(f"when: {text}").when.steps[0].selection)
    for text in (
        "any",
        "view_item",
        "purchase",
        "message_shown",
        "(view_item or add_to_cart)",
        "(identify or message_shown)",
        "any[price > 10]",
        "view_item[price > 10]",
        "add_to_cart[product_id == 'a']",
        "(view_item or add_to_cart)[device == 'mobile']",
    )
]
PATHS: Final = [("product_id",), ("device",), ("colour",), ("traits", "plan")]


class Asked:
    """Questions about a history, drawn by chance, each asked of two histories."""

    def __init__(self, random: Random, instants: list[int]) -> None:
        self._random = random
        self._instants = instants

    def compare(self, grown: History, made: History) -> None:
        """Check that two histories answer some questions alike."""
        choice = self._random.choice
        for _ in range(self._random.randrange(8)):
            selector, path = choice(SELECTORS), choice(PATHS)
            first, end = choice(self._instants), choice(self._instants)
            match self._random.randrange(6):
                case 0:
                    assert grown.select(selector) == made.select(selector)
                case 1:
                    assert grown.split(selector, path) == made.split(selector, path)
                case 2:
                    assert grown.field(selector, Name(0, path)) == made.field(selector, Name(0, path))
                case 3:
                    assert grown.within(selector, first, end) == made.within(selector, first, end)
                case 4:
                    assert grown.trait(("plan",)) == made.trait(("plan",))
                case _:
                    assert grown.context("device") == made.context("device")
            assert grown.between(first, end) == made.between(first, end)

    def compare_all(self, grown: History, made: History) -> None:
        """Check that two histories answer every question alike."""
        for selector in SELECTORS:
            assert grown.select(selector) == made.select(selector)
            for path in PATHS:
                assert grown.split(selector, path) == made.split(selector, path)
                assert grown.field(selector, Name(0, path)) == made.field(selector, Name(0, path))
            assert grown.within(selector, min(self._instants), max(self._instants)) == made.select(selector).events
        assert grown.trait(("plan",)) == made.trait(("plan",))
        assert grown.context("device") == made.context("device")
        assert grown.events == made.events


def _ids(history: History) -> list[str]:
    return [each.event_id for each in history.events]


@given(st.randoms(use_true_random=False), st.sampled_from(["in order", "nearly in order", "any order"]), st.booleans())
def test_a_history_that_grows_answers_as_one_that_is_made_at_once(
    random: Random, order: str, has_contexts: bool
) -> None:
    records = {record["id"]: record for _ in range(2) for record in Generator(random).events()}
    events = [Event(each["name"], each["ts"], each["id"], each["fields"]) for each in records.values()]
    events.sort(key=lambda each: (each.ts, each.event_id))
    if order == "any order":
        random.shuffle(events)
    elif order == "nearly in order" and len(events) > 1:
        place = random.randrange(len(events) - 1)
        events[place], events[place + 1] = events[place + 1], events[place]
    asked = Asked(random, [-1, *(each.ts for each in events)])
    contexts: dict[str, list[tuple[int, str]]] | None = {} if has_contexts else None
    grown, known = History([], contexts), list[Event]()
    while events:
        some, events = events[: (count := random.choice([1, 1, 1, 2, 3]))], events[count:]
        grown.add(random.sample(some, len(some)))
        known += some
        if contexts is not None and random.random() < 0.5:
            contexts = {"device": [*contexts.get("device", []), (len(known), random.choice(["mobile", "desktop"]))]}
            grown.surround(contexts)
        asked.compare(grown, History(known, contexts))
    asked.compare_all(grown, History(known, contexts))


def test_adding_nothing_changes_nothing() -> None:
    history = History([event("a", "1s", "x")])
    history.add([])
    assert _ids(history) == ["x"]

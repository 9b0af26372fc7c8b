"""A visitor's events in order."""

from __future__ import annotations

from tests.trigger_worker.evaluate.support import NOON, event, ms
from trigger_worker.evaluate.history import History
from trigger_worker.evaluate.selector import compile_selection
from trigger_worker.language.syntax import Name, Selection


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


def test_fields_stand_beside_their_events() -> None:
    selector = compile_selection(Selection(0, ("a",)))
    history = History([event("a", price=5), event("a", "1s"), event("a", "2s", price="x")])
    assert history.field(selector, Name(0, ("price",))) == [5.0, None, "x"]

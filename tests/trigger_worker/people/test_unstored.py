"""What ClickHouse may not show yet."""

from __future__ import annotations

import pytest

from tests.trigger_worker.people.arriving import arrival
from tests.trigger_worker.stored import NOON, fire, person, queued, visitor
from trigger_worker.people import unstored
from trigger_worker.people.state import Write
from trigger_worker.people.unstored import GRACE_MS, MAX_AGE_MS, UnstoredEvents, UnstoredWrites, visitor_of
from trigger_worker.store.decisions import DecisionRecord
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.people import Join, Person

ANNA = person("u1", "phone")


def ids(events: UnstoredEvents, who: Person = ANNA) -> list[str]:
    return [one.event.event_id for one in events.of(who)]


def test_an_event_is_kept_once_for_every_id_of_its_person() -> None:
    events = UnstoredEvents()
    one = arrival(who="phone", event_id="a")
    assert [events.add(one), events.add(one), events.add(arrival(who="phone", event_id="a"))] == [True, False, False]
    assert events.add(arrival(who="u1", event_id="b"))
    assert events.add(arrival(who="bob", event_id="a"))
    assert events.add(arrival(who="phone", event_id="c", site="other"))
    assert (len(events), ids(events), ids(events, person("bob"))) == (4, ["b", "a"], ["a"])
    assert events.find(one.key) is one
    assert events.find((visitor("cleo"), "a")) is None


def test_an_order_that_was_told_earlier_is_new_and_takes_the_place_of_the_later_telling() -> None:
    events = UnstoredEvents()
    late, early, again = (arrival("purchase", "phone", at, event_id="purchase:1") for at in (NOON, NOON - 5, NOON + 5))
    assert events.add(late)
    events.handle(late.key)
    assert [events.add(early), events.add(again), events.add(early)] == [True, False, False]
    assert events.find(late.key) is early
    assert not events.is_handled(late.key)
    assert (len(events), ids(events)) == (1, ["purchase:1"])
    view = [arrival("view_item", "phone", at, event_id="same") for at in (NOON, NOON - 5)]
    assert [events.add(one) for one in view] == [True, False]


def test_an_event_is_forgotten_some_time_after_the_feed_told_of_it() -> None:
    events, told, untold = UnstoredEvents(), arrival(event_id="told"), arrival(event_id="untold")
    events.add(told)
    events.add(untold)
    events.tell([told.key, (visitor("bob"), "unknown")], NOON)
    events.tell([], NOON + GRACE_MS - 1)
    assert ids(events, person("anna")) == ["told", "untold"]
    events.tell([told.key], NOON + GRACE_MS)
    assert ids(events, person("anna")) == ["untold"]
    events.tell([], NOON + 2 * GRACE_MS)
    assert (len(events), events.find(told.key)) == (1, None)


def test_an_event_that_the_feed_never_tells_of_is_forgotten_in_the_end() -> None:
    events = UnstoredEvents()
    for after, name in ((0, "a"), (1, "b")):
        events.add(arrival(at=NOON + after, event_id=name))
    events.tell([], NOON + MAX_AGE_MS - 1)
    assert len(events) == 2
    events.tell([], NOON + MAX_AGE_MS)
    assert ids(events, person("anna")) == ["b"]


def test_of_too_many_events_the_earliest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unstored, "MAX_EVENTS", 3)
    events = UnstoredEvents()
    for number in range(5):
        events.add(arrival(who=f"visitor-{number}", user=f"user-{number}", event_id=f"{number}"))
        events.handle((visitor(f"user-{number}"), f"{number}"))
    assert len(events) == 3
    assert [ids(events, person(f"user-{number}")) for number in range(5)] == [[], [], ["2"], ["3"], ["4"]]
    assert [join.alias for join in events.joins()] == ["visitor-2", "visitor-3", "visitor-4"]
    assert [events.is_handled((visitor(f"user-{number}"), f"{number}")) for number in range(5)] == [False] * 2 + [
        True
    ] * 3


def test_an_event_that_rules_were_asked_about_can_be_reopened() -> None:
    events, one = UnstoredEvents(), arrival(event_id="a")
    events.handle(one.key)
    assert not events.is_handled(one.key)
    events.add(one)
    assert not events.is_handled(one.key)
    events.handle(one.key)
    assert events.is_handled(one.key)
    events.reopen(one.key)
    assert not events.is_handled(one.key)


def test_what_is_forgotten_is_not_handled_when_it_comes_again() -> None:
    events, one = UnstoredEvents(), arrival(event_id="a")
    events.add(one)
    events.handle(one.key)
    events.tell([one.key], NOON)
    events.tell([], NOON + GRACE_MS)
    assert not events.is_handled(one.key)
    assert events.add(one)


def test_an_event_is_whole_under_any_id_of_its_person() -> None:
    events, one = UnstoredEvents(), arrival(who="phone", event_id="a", price=5)
    cut = arrival(who="phone", event_id="a").event
    assert events.whole(ANNA, cut) is cut
    events.add(one)
    assert events.whole(ANNA, cut) is one.event
    assert events.whole(person("bob"), cut) is cut


def test_joins_are_those_that_the_kept_events_tell_of_last() -> None:
    events = UnstoredEvents()
    first = arrival("login", "phone", user="u1", event_id="a")
    second = arrival("login", "phone", NOON + 1, user="u2", event_id="b")
    assert events.joins() == []
    events.add(first)
    assert events.joins() == [Join("shop", "phone", "u1", NOON)]
    events.add(second)
    assert events.joins() == [Join("shop", "phone", "u2", NOON + 1)]
    events.tell([first.key], NOON)
    events.tell([second.key], NOON + 1)
    events.tell([], NOON + GRACE_MS)
    assert events.joins() == [Join("shop", "phone", "u2", NOON + 1)]
    events.tell([], NOON + GRACE_MS + 1)
    assert (events.joins(), len(events)) == ([], 0)


def test_rows_are_kept_until_some_time_after_they_left_the_journal() -> None:
    writes, early, late = UnstoredWrites(), fire("early", visitor_id="phone"), fire("late", visitor_id="u1")
    writes.add(early, NOON)
    writes.add(late, NOON + 1)
    assert list(writes.of(ANNA)) == [late, early]
    assert list(writes.of(person("bob"))) == []
    writes.forget_before(NOON + GRACE_MS)
    assert list(writes.of(ANNA)) == [late, early]
    writes.forget_before(NOON + GRACE_MS + 1)
    assert (list(writes.of(ANNA)), len(writes)) == ([late], 1)


def test_a_row_that_could_not_be_stored_is_forgotten_and_its_equal_is_not() -> None:
    writes, refused, kept = UnstoredWrites(), fire("same", visitor_id="u1"), fire("same", visitor_id="u1")
    writes.add(refused, NOON)
    writes.add(kept, NOON)
    writes.take_back(refused)
    (left,) = writes.of(ANNA)
    assert left is kept
    writes.take_back(fire(visitor_id="bob"))
    writes.forget_before(NOON + GRACE_MS + 1)
    assert (list(writes.of(ANNA)), len(writes)) == ([], 0)


def test_each_row_is_about_the_visitor_whom_it_was_made_for() -> None:
    message = queued(visitor_id="phone")
    rows: list[Write] = [
        fire(visitor_id="phone"),
        MessageRecord(message, "sent", NOON),
        DecisionRecord(message, "send", "passed", {}, NOON),
    ]
    assert [visitor_of(row) for row in rows] == [visitor("phone")] * 3

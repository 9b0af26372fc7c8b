"""The people in memory."""

from __future__ import annotations

from typing import Final

import msgspec

from tests.trigger_worker.people.arriving import ANNA, EVERYTHING, SCOPE, arrival, born
from tests.trigger_worker.stored import NOON, fire, person, queued, visitor
from trigger_worker.people.memory import CLOCK_SKEW_MS, NEWBORN_MS, People
from trigger_worker.people.reading import Scope
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.fires import PastFire
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.windows import Wanted

HOUR: Final = 3_600_000
STARTED: Final = NOON - HOUR


def people(max_bytes: int = 10**9, started_at: int = STARTED) -> People:
    made = People(max_bytes, started_at)
    made.look_at(SCOPE)
    return made


def read(*ids: str, since: int = NOON) -> PersonState:
    """Return a person as if read from the tables."""
    return PersonState(person(*ids), since=since)


def receive(known: People, *states: PersonState) -> None:
    known.receive({state.key: state for state in states})


def is_born(known: People, name: str, now_ms: int = NOON) -> bool:
    return known.find_or_bear(visitor(name), now_ms) is not None


def test_an_id_that_was_just_made_needs_no_reading() -> None:
    known, name = people(), born(NOON - 1000)
    state = known.find_or_bear(visitor(name), NOON)
    assert state is not None
    assert state.person == person(name)
    assert known.find(visitor(name)) is state
    assert known.find_or_bear(visitor(name), NOON + HOUR) is state


def test_who_may_have_a_past_is_read() -> None:
    instants = {
        born(NOON - NEWBORN_MS): False,
        born(NOON - NEWBORN_MS + 1): True,
        born(NOON + CLOCK_SKEW_MS): True,
        born(NOON + CLOCK_SKEW_MS + 1): False,
        "anna": False,
        "": False,
    }
    assert {name: is_born(people(), name) for name in instants} == instants


def test_who_was_made_before_this_process_heard_of_events_is_read() -> None:
    instants = {born(NOON - 1001): False, born(NOON - 1000): False, born(NOON - 999): True}
    assert {name: is_born(people(started_at=NOON - 1000), name) for name in instants} == instants


def test_who_was_dropped_is_not_newborn_again() -> None:
    known, name = people(), born(NOON)
    assert is_born(known, name)
    known.forget(visitor(name))
    assert known.find(visitor(name)) is None
    for after in (0, 1, NEWBORN_MS - 1, NEWBORN_MS, NEWBORN_MS + 1, 2 * NEWBORN_MS, 3 * NEWBORN_MS):
        known.make_room(NOON + after)
        assert not is_born(known, name, NOON + after)


def test_who_was_dropped_while_others_were_is_not_newborn_again() -> None:
    known, names = people(), [born(NOON - 1000 * number, number) for number in (0, 9, 3, 19)]
    assert all(is_born(known, name) for name in names)
    known.forget_site("shop")
    assert len(known) == 0
    for after in range(0, 3 * NEWBORN_MS, 500):
        known.make_room(NOON + after)
        assert not any(is_born(known, name, NOON + after) for name in names)


def test_an_id_of_the_far_future_keeps_none_from_being_forgotten_for_good() -> None:
    known = people()
    future, usual = born(NOON + 1000 * HOUR), born(NOON)
    receive(known, read(future), read(usual))
    known.make_room(NOON)
    for name in (future, usual):
        known.forget(visitor(name))
    assert len(known._dropped) == 2
    known.make_room(NOON + NEWBORN_MS + CLOCK_SKEW_MS + 1)
    assert not known._dropped


def test_a_person_is_found_by_any_id() -> None:
    known, anna = people(), read("u1", "phone", "laptop")
    receive(known, anna)
    assert [known.find(visitor(name)) for name in ("u1", "phone", "laptop")] == [anna] * 3
    assert [known.find(visitor("u1", "other")), known.find(visitor("bob"))] == [None, None]
    assert known.is_joined(visitor("u1"), "phone")
    assert known.is_joined(visitor("phone"), "laptop")
    assert not known.is_joined(visitor("u1"), "tablet")
    assert not known.is_joined(visitor("bob"), "bob")


def test_an_id_that_is_one_too_many_for_its_person_leads_to_the_person() -> None:
    known, guest = people(), read("guest", "browser-1")
    known.receive({visitor("browser-0"): guest, visitor("guest"): guest})
    assert known.find(visitor("browser-0")) is guest
    known.forget(visitor("browser-0"))
    assert [known.find(visitor(name)) for name in ("browser-0", "browser-1", "guest")] == [None] * 3


def test_parts_of_a_person_become_one_when_they_are_read_as_one() -> None:
    known = people()
    receive(known, read("u1"), read("phone"))
    assert len(known) == 2
    joined = read("u1", "phone")
    receive(known, joined)
    assert (len(known), known.size) == (1, joined.size)
    assert [known.find(visitor(name)) for name in ("u1", "phone")] == [joined] * 2


def test_a_person_in_memory_stays_as_they_are_when_they_are_read_again() -> None:
    known, first = people(), read("u1", "phone")
    receive(known, first)
    known.take(first, [arrival(who="u1", event_id="a")])
    known.receive({visitor("phone"): read("u1", "phone")})
    assert known.find(visitor("phone")) is first
    assert [event.event_id for event in first.history.events] == ["a"]


def test_a_person_who_was_read_further_back_replaces_the_one_in_memory() -> None:
    known, later, earlier = people(), read("u1"), read("u1", since=NOON - HOUR)
    receive(known, later)
    receive(known, earlier)
    assert known.find(visitor("u1")) is earlier
    receive(known, read("u1"))
    assert (known.find(visitor("u1")), known.size) == (earlier, earlier.size)


def test_what_fired_a_moment_ago_is_known_of_a_person_who_was_read_further_back() -> None:
    known, later, earlier = people(), read("u1"), read("u1", since=NOON - HOUR)
    receive(known, later)
    # Known to the person alone: its row is not on its way to the disk yet.
    later.fires.add(PastFire("greets", "", NOON, "fire-1"))
    receive(known, earlier)
    assert [one.fire_id for one in earlier.fires] == ["fire-1"]


def test_what_fired_for_somebody_else_is_not_known_of_whoever_has_their_id_now() -> None:
    known, anna, bob = people(), read("anna", "tablet"), read("bob", "tablet")
    receive(known, anna)
    anna.fires.add(PastFire("greets", "", NOON, "fire-1"))
    receive(known, bob)
    assert known.find(visitor("tablet")) is bob
    assert not list(bob.fires)


def test_who_is_read_knows_of_what_the_tables_do_not_show_yet() -> None:
    known, anna = people(), read("u1", "phone")
    known.events.add(arrival("hover", "phone", NOON, event_id="a", device="mobile"))
    known.events.add(arrival("message_shown", "phone", NOON + 9, event_id="b", message_id="message-1"))
    known.events.add(arrival("hover", "bob", event_id="c"))
    known.note(MessageRecord(queued(visitor_id="u1"), "sent", NOON), NOON)
    known.note(fire(visitor_id="phone"), NOON)
    known.note(fire("f2", visitor_id="bob"), NOON)
    receive(known, anna)
    assert [event.event_id for event in anna.history.events] == ["a"]
    assert anna.history.context("device").at(NOON) == "mobile"
    assert anna.messages["message-1"].states == {"sent": NOON, "shown": NOON + 9}
    assert [one.fire_id for one in anna.fires] == ["fire-1"]
    assert known.size == anna.size


def test_a_row_is_noted_with_its_person_and_kept_for_those_who_are_read() -> None:
    known, anna = people(), read("u1", "phone")
    receive(known, anna)
    known.note(fire(visitor_id="phone"), NOON)
    assert [one.fire_id for one in anna.fires] == ["fire-1"]
    assert (known.size, len(known.writes)) == (anna.size, 1)


def test_rows_that_could_not_be_stored_are_forgotten_with_the_people_who_know_of_them() -> None:
    known, written = people(), fire(visitor_id="phone")
    receive(known, read("u1", "phone"), read("bob"))
    known.note(written, NOON)
    known.take_back([written])
    assert known.find(visitor("u1")) is None
    assert known.find(visitor("bob")) is not None
    again = read("u1", "phone")
    receive(known, again)
    assert len(again.fires) == 0


def test_what_does_not_fit_is_handed_back() -> None:
    known, anna = people(), read("anna")
    receive(known, anna)
    late = arrival(at=NOON - 1, device="desktop")
    assert known.take(anna, [arrival(at=NOON, device="mobile")]) == []
    assert known.take(anna, [late]) == [late]
    assert known.size == anna.size


def test_bytes_are_those_of_the_people_in_memory_whatever_happens_to_others() -> None:
    known, dropped = people(), read("anna")
    receive(known, dropped, read("bob"))
    known.forget(ANNA)
    known.take(dropped, [arrival()])
    known.forget(visitor("bob"))
    assert (known.size, len(known)) == (0, 0)


def test_those_seen_longest_ago_are_forgotten_when_there_is_no_room() -> None:
    names, each = [f"visitor-{number}" for number in range(5)], PersonState(person("x")).size
    known = people(max_bytes=3 * each)
    receive(known, *map(read, names))
    known.find(visitor("visitor-0"))
    known.make_room(NOON)
    assert [name for name in names if known.find(visitor(name)) is not None] == ["visitor-0", "visitor-3", "visitor-4"]
    assert (known.size, known.take_evicted(), known.take_evicted()) == (3 * each, 2, 0)


def test_a_person_whose_events_need_more_room_than_there_is_is_forgotten_too() -> None:
    known = people(max_bytes=PersonState(person("anna")).size)
    receive(known, anna := read("anna"))
    known.make_room(NOON)
    assert known.find(ANNA) is anna
    known.take(anna, [arrival()])
    known.make_room(NOON)
    assert (len(known), known.size, known.take_evicted()) == (0, 0, 1)


def test_the_people_of_one_site_are_forgotten() -> None:
    known, there = people(), PersonState(person("anna", site="other"))
    receive(known, read("anna"), read("bob"), there)
    known.forget_site("shop")
    assert (len(known), known.find(visitor("anna", "other"))) == (1, there)


def test_people_who_were_read_with_less_than_is_looked_at_are_forgotten() -> None:
    known, anna = people(), read("anna")
    receive(known, anna)
    narrower = Scope(Wanted({"any": 1}, frozenset({"price"}), frozenset({"device"})), facts_ms=1)
    known.look_at(narrower)
    assert (known.find(ANNA), known.scope) == (anna, SCOPE)
    wider = Scope(msgspec.structs.replace(EVERYTHING, contexts=EVERYTHING.contexts | {"country"}))
    for scope in (wider, msgspec.structs.replace(wider, experiments=frozenset({"lingers"}))):
        known.look_at(scope)
        assert (known.find(ANNA), known.scope, known.size) == (None, scope, 0)
        receive(known, read("anna"))


def test_a_person_with_a_past_takes_more_room() -> None:
    state = PersonState(person("anna"), History([arrival(price=5).event]))
    assert state.size > PersonState(person("anna")).size


def test_whoever_was_erased_is_in_no_part_of_memory() -> None:
    known = people()
    receive(known, read("anna", "phone"), read("bob"))
    for who in ("phone", "bob"):
        known.events.add(arrival(who=who))
        known.note(fire(visitor_id=who), NOON)
    known.forget_erased(lambda _, visitor_id: visitor_id in ("anna", "phone"))
    assert known.find(visitor("phone")) is None
    assert known.find(visitor("bob")) is not None
    assert (len(known), len(known.events), len(known.writes)) == (1, 1, 1)
    assert list(known.events.of(person("anna", "phone"))) == []
    assert list(known.writes.of(person("anna", "phone"))) == []

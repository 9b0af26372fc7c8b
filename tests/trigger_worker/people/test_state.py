"""The state of one person, growing event by event and row by row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.people.arriving import EVERYTHING, arrival, as_row
from tests.trigger_worker.stored import NOON, event_row, fire, person, queued, store, visitor
from trigger_worker.people.arrival import Arrival, accepted
from trigger_worker.people.reading import Scope, read_people
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.event import UNTIMED, Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.store.decisions import DecisionRecord, Placement, Reason
from trigger_worker.store.message import MessageRecord, MessageState
from trigger_worker.store.records import Records
from trigger_worker.store.sent import record_outcomes
from trigger_worker.store.windows import Wanted
from warehouse.connection import Warehouse
from warehouse.vocabulary import OUTCOME_STATES

DAY: Final = 86_400_000


def someone(*states: MessageState) -> PersonState:
    """Return Anna, with a message that reached some states a second ago."""
    state = PersonState(person("anna"))
    for reached in states:
        state.note(MessageRecord(queued(), reached, NOON - 1000))
    return state


def reached(state: PersonState, message_id: str = "message-1") -> dict[str, int]:
    return state.messages[message_id].states


def ids(state: PersonState) -> list[str]:
    return [event.event_id for event in state.history.events]


def test_wanted_events_are_kept_in_order_with_the_wanted_fields() -> None:
    state = someone()
    wanted = Wanted({"hover": DAY}, frozenset({"price"}))
    late = arrival("hover", at=NOON - 5, event_id="late", price=5, category="tents")
    assert state.take([arrival("hover", at=NOON, event_id="first"), arrival("copy")], wanted) == []
    assert state.take([late], wanted) == []
    assert ids(state) == ["late", "first"]
    assert state.history.events[0].fields == {"price": 5}


@given(st.randoms(use_true_random=True))
@settings(max_examples=300, deadline=None)
def test_an_order_is_told_first_by_its_earliest_telling_in_whichever_order_they_come(random: Random) -> None:
    told = [_telling(random) for _ in range(random.randrange(1, 12))]
    state, every = someone(), {"any": 400 * DAY}
    for one in told:
        state.take([one], Wanted(every, None))
    whole = History([one.event for one in told])
    assert [_place(each) for each in state.history.events] == [_place(each) for each in whole.events]
    orders = [event.fields["order_id"] for event in state.history.events if event.name == "purchase"]
    assert len(orders) == len(set(orders))
    together = someone()
    together.take(told, Wanted(every, None))
    assert [_place(each) for each in together.history.events] == [_place(each) for each in whole.events]


def _telling(random: Random) -> Arrival:
    """A telling of one of a few orders as intake names it, or a view."""
    name, order_id = random.choice(["purchase", "purchase", "refund", "view_item"]), random.choice(["1", "2"])
    at, who = NOON + random.randrange(20), random.choice(["phone", "u1"])
    match name:
        case "purchase":
            event_id = random.choice([f"purchase:{order_id}", f"purchase:{order_id}:unvalued"])
        case "refund":
            event_id = f"refund:{order_id}:whole"
        case _:
            return arrival(name, who, at, event_id=f"view at {at} of {random.randrange(10**9)}")
    one = arrival(name, who, at, event_id=event_id, order_id=order_id)
    late_ms = random.choice([0, 0, UNTIMED])
    return msgspec.structs.replace(one, event=msgspec.structs.replace(one.event, late_ms=late_ms))


def _place(event: Event) -> tuple[int, str, str]:
    return event.ts, event.event_id, event.name


def test_an_event_that_comes_again_changes_nothing() -> None:
    state, one = someone(), arrival("hover", event_id="same", device="mobile")
    state.take([one, one], EVERYTHING)
    size, series = state.size, state.history.context("device")
    assert state.take([one], EVERYTHING) == []
    assert (ids(state), state.size, state.history.context("device")) == (["same"], size, series)


def test_a_late_event_with_other_surroundings_is_handed_back_and_the_others_are_added() -> None:
    state = someone()
    state.take([arrival(at=NOON, event_id="a", device="mobile")], EVERYTHING)
    other = arrival(at=NOON - 10, event_id="other", device="desktop")
    same, silent = arrival(at=NOON - 9, event_id="same", device="mobile"), arrival(at=NOON - 8, event_id="silent")
    assert state.take([silent, other, same], EVERYTHING) == [other]
    assert ids(state) == ["same", "silent", "a"]
    assert [state.history.context("device").at(NOON - ago) for ago in (11, 10, 9, 0)] == [
        None,
        None,
        "mobile",
        "mobile",
    ]


def test_a_late_event_does_not_overtake_what_was_told_again_since() -> None:
    state = someone()
    state.take([arrival(at=NOON + after, device="mobile") for after in (0, 10, 20)], EVERYTHING)
    late = arrival(at=NOON + 15, device="desktop")
    assert state.take([late], EVERYTHING) == [late]
    assert state.history.context("device").at(NOON + 20) == "mobile"


@pytest.mark.parametrize(("event", "outcome"), OUTCOME_STATES.items())
def test_an_outcome_moves_a_message_that_was_sent(event: str, outcome: str) -> None:
    state = someone("pending", "sent")
    state.take([arrival(event, at=NOON, message_id="message-1")], Wanted({}, frozenset()))
    assert reached(state) == {"pending": NOON - 1000, "sent": NOON - 1000, outcome: NOON}
    assert ids(state) == []


@pytest.mark.parametrize("event", OUTCOME_STATES)
def test_an_outcome_moves_no_message_that_was_not_sent(event: str) -> None:
    state = someone("pending")
    state.take([arrival(event, message_id="message-1"), arrival(event, message_id="another")], EVERYTHING)
    assert reached(state) == {"pending": NOON - 1000}
    assert state.messages.keys() == {"message-1"}


@pytest.mark.parametrize("event", OUTCOME_STATES)
def test_what_a_machine_fetched_moves_nothing(event: str) -> None:
    state = someone("sent")
    state.take([arrival(event, message_id="message-1", machine=True)], EVERYTHING)
    assert reached(state) == {"sent": NOON - 1000}


@pytest.mark.parametrize(
    ("event", "fields"), [("purchase", {"message_id": "message-1"}), ("email_opened", {}), ("message_sent", {})]
)
def test_what_is_no_outcome_or_about_no_message_moves_nothing(event: str, fields: dict[str, Any]) -> None:
    state = someone("sent")
    state.take([arrival(event, **fields)], EVERYTHING)
    assert reached(state) == {"sent": NOON - 1000}


def test_a_failure_from_before_it_was_sent_was_overcome() -> None:
    state = someone("sent")
    state.take([arrival("message_failed", at=NOON - 1001, message_id="message-1")], EVERYTHING)
    assert reached(state) == {"sent": NOON - 1000}
    state.take([arrival("message_shown", at=NOON - 1001, message_id="message-1")], EVERYTHING)
    assert reached(state) == {"sent": NOON - 1000, "shown": NOON - 1001}


def test_of_an_outcome_that_is_told_twice_the_first_instant_counts() -> None:
    state = someone("sent")
    for at in (NOON + 5, NOON, NOON + 9):
        state.take([arrival("message_shown", at=at, message_id="message-1")], EVERYTHING)
    assert reached(state)["shown"] == NOON


def test_firings_are_noted_once() -> None:
    state = someone()
    for one in (fire("f1", key="k"), fire("f1", key="k"), fire("f2", at=NOON + 1)):
        state.note(one)
    assert [(one.key, one.at, one.fire_id) for one in state.fires] == [("k", NOON, "f1"), ("", NOON + 1, "f2")]


def decision(reason: str, arm: str = "", at: int = NOON, **detail: str) -> DecisionRecord:
    verdict: Any = "send" if reason == Reason.PASSED else "drop"
    return DecisionRecord(queued(), verdict, reason, detail, at, arm)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([decision("passed", "a"), decision("cap", "b", NOON + 1)], Placement("a", held_out=False)),
        ([decision("holdout", "a"), decision("passed", "a", NOON + 1)], Placement("a", held_out=True)),
        ([decision("no_consent", "a"), decision("passed", "b", NOON + 1)], Placement("b", held_out=False)),
        ([decision("holdout", "a", holdout="global")], None),
        ([decision("unsubscribed", "a")], None),
    ],
)
def test_the_first_decision_that_places_a_person_counts_as_it_is_read(
    embedded_warehouse: Warehouse, decisions: Sequence[DecisionRecord], expected: Placement | None
) -> None:
    state = someone()
    for one in decisions:
        state.note(one)
    assert state.placements.get(("lingers", "v1")) == expected
    Records(embedded_warehouse).store_fires([fire()], NOON)
    Records(embedded_warehouse).store_decisions(decisions)
    scope = Scope(experiments=frozenset({"lingers"}))
    read = read_people(embedded_warehouse, [visitor("anna")], scope, NOON, NOON)
    assert read[visitor("anna")].placements == state.placements


def test_what_was_sent_is_told_with_what_came_of_it() -> None:
    state = someone()
    for name, at in (("late", NOON + 5), ("early", NOON), ("passed_over", NOON + 1), ("by_then", NOON - 1)):
        state.note(MessageRecord(queued(name, rule=name), "sent", at))
    state.note(MessageRecord(queued("waits"), "pending", NOON))
    state.take([arrival("message_clicked", message_id="late")], EVERYTHING)
    told = state.sent(NOON - 1, but_not={"passed_over"})
    assert {name: (one.rule, one.at_ms, one.shown, one.clicked) for name, one in told.items()} == {
        "early": ("early", NOON, False, False),
        "late": ("late", NOON + 5, False, True),
    }


def test_what_became_of_a_firing_is_told_of_all_its_messages_and_no_others() -> None:
    state = someone()
    state.note(MessageRecord(queued("a", fire_id="f1", channel="email"), "sent", NOON))
    state.note(MessageRecord(queued("b", fire_id="f1"), "pending", NOON))
    state.note(MessageRecord(queued("c", fire_id="f2"), "sent", NOON))
    state.take([arrival("email_opened", message_id="a"), arrival("message_shown", message_id="c")], EVERYTHING)
    expected = ("sent(email)", "opened(email)", "delivered(email)", "pending(banner)")
    assert state.fire_facts("f1") == dict.fromkeys(expected, True)
    assert state.fire_facts("f3") == {}


def test_the_size_grows_with_all_that_is_kept() -> None:
    state = PersonState(person("anna"))
    sizes = [state.size]
    for note in (fire(), decision("passed"), MessageRecord(queued(), "sent", NOON)):
        state.note(note)
        sizes.append(state.size)
    for one in (arrival("hover"), arrival("hover", price=5)):
        state.take([one], EVERYTHING)
        sizes.append(state.size)
    assert sizes == sorted(set(sizes))


#: Parts of people that rules may look at.
PARTS: Final = [
    EVERYTHING,
    Wanted({"view_item": 400 * DAY, "email_opened": 400 * DAY}, frozenset({"price", "device"}), frozenset({"device"})),
    Wanted({"any": 400 * DAY, "message_shown": 400 * DAY}, frozenset({"colour"}), frozenset({"device", "timezone"})),
]
NAMES: Final = ("view_item", "view_item", "purchase", "identify", *OUTCOME_STATES)


class Anna:
    """A person with two browsers, whose events come one by one.

    Args:
        warehouse: where they are stored.
        random: draws them.
    """

    def __init__(self, warehouse: Warehouse, random: Random) -> None:
        self._warehouse = warehouse
        self._random = random
        self.user = f"user-{next(_users)}"
        self.scope = Scope(random.choice(PARTS))
        self.states = self._sent()
        login = event_row("login", f"phone-{self.user}", NOON - DAY, user=self.user)
        self.rows = [login, *(self._row() for _ in range(random.randrange(14)))]
        self.rows += [row for row in self.rows if random.random() < 0.2]

    def read(self) -> PersonState:
        """Return the person as the tables tell."""
        asked = visitor(self.user)
        return read_people(self._warehouse, [asked], self.scope, NOON - DAY, NOON + DAY)[asked]

    def keep(self, rows: Sequence[dict[str, Any]]) -> None:
        """Store events, and what they did to messages."""
        store(self._warehouse, *rows)
        record_outcomes(self._warehouse, [accepted(as_row(row), NOON).as_news() for row in rows])

    def _sent(self) -> list[MessageRecord]:
        made: list[MessageRecord] = []
        for number in range(3):
            message = queued(f"{self.user}-{number}", visitor_id=self.user, fire_id=f"f-{number}")
            made.append(MessageRecord(message, "pending", NOON))
            if number:
                made.append(MessageRecord(message, "sent", NOON + 5))
        return made

    def _row(self) -> dict[str, Any]:
        choice, fields = self._random.choice, dict[str, Any]()
        for name, values in _FIELDS.items():
            if self._random.random() < 0.5:
                fields[name] = choice(values)
        event, browser = choice(NAMES), choice(["phone", "laptop"])
        if event in OUTCOME_STATES:
            fields["message_id"] = f"{self.user}-{self._random.randrange(4)}"
        user = self.user if browser == "laptop" or self._random.random() < 0.5 else ""
        return event_row(event, f"{browser}-{self.user}", NOON + self._random.randrange(12), user=user, **fields)


def _states(state: PersonState) -> dict[str, tuple[set[str], int | None]]:
    return {one.message_id: (set(one.states), one.states.get("sent")) for one in state.messages.values()}


_users = count()
_FIELDS: Final[dict[str, list[Any]]] = {
    "price": [5, 7.5],
    "colour": ["red"],
    "device": ["mobile", "mobile", "desktop"],
    "timezone": ["Europe/Berlin", "Europe/Berlin", "Asia/Tokyo"],
    "machine": [True, False],
}


@given(st.randoms(use_true_random=False))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_person_who_grows_in_any_order_is_the_one_who_is_read_at_the_end(
    embedded_warehouse: Warehouse, random: Random
) -> None:
    anna = Anna(embedded_warehouse, random)
    first, *later = anna.rows
    random.shuffle(later)
    Records(embedded_warehouse).store_messages(anna.states)
    at_once = random.randrange(len(later) + 1)
    anna.keep([first, *(sorted(later[:at_once], key=lambda row: str(row["ts"])))])
    grown, waiting = anna.read(), later[at_once:]
    while waiting:
        some, waiting = waiting[: (taken := random.choice([1, 1, 2, 4]))], waiting[taken:]
        anna.keep(some)
        # Asked in between, so that what is remembered must grow, too.
        for field in ("device", "timezone"):
            grown.history.context(field)
        if grown.take([accepted(as_row(row), NOON) for row in some], anna.scope.wanted):
            grown = anna.read()
    read = anna.read()
    assert grown.history.events == read.history.events
    for field in anna.scope.wanted.contexts:
        for at in range(NOON - 1, NOON + 14):
            assert grown.history.context(field).at(at) == read.history.context(field).at(at), (field, at - NOON)
    # Of a state that is reached twice the table may keep either instant; nothing but that of `sent` is ever asked for.
    assert _states(grown) == _states(read)
    assert grown.sent(0) == read.sent(0)
    assert [grown.fire_facts(f"f-{number}") for number in range(3)] == [read.fire_facts(f"f-{n}") for n in range(3)]

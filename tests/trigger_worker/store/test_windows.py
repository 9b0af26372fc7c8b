"""The windowed query: of the candidates' events just what their rules look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, event_row, person, store
from trigger_worker.people.surroundings import Surroundings
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.needs import needs
from trigger_worker.rules.model import NO_AUDIENCES
from trigger_worker.store import windows as window
from trigger_worker.store.people import Person
from trigger_worker.store.windows import Wanted, combine, read_histories, read_own_events, read_person_events
from warehouse.connection import Warehouse

ANNA = person("anna")


def read(warehouse: Warehouse, wanted: Wanted, who: Person = ANNA, until: int = NOON) -> History:
    return read_histories(warehouse, [who], wanted, NOON, until)[who]


Told = dict[str, list[tuple[int, str, str]]]


def read_contexts(
    warehouse: Warehouse, people: Iterable[Person], contexts: frozenset[str], until: int
) -> dict[Person, Told]:
    """Return what all events tell of people's surroundings."""
    read = read_person_events(warehouse, people, wanted({}, contexts=contexts), NOON, until)
    return {who: found.told for who, found in read.items()}


def surround(history: History, told: Told) -> None:
    """Add surroundings to a history."""
    history.surround(Surroundings(told).changes)


def ids(history: History) -> list[str]:
    return [event.event_id for event in history.events]


def wanted(lookback_ms: dict[str, int], *fields: str, contexts: frozenset[str] = frozenset()) -> Wanted:
    return Wanted(lookback_ms, frozenset(fields), contexts)


def test_only_the_wanted_names_and_spans_are_read_with_both_ends(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("hover", at=NOON - 1001, event_id="too_old"),
        event_row("hover", at=NOON - 1000, event_id="oldest"),
        event_row("hover", at=NOON, event_id="newest"),
        event_row("hover", at=NOON + 1, event_id="too_new"),
        event_row("copy", at=NOON - 1500, event_id="longer"),
        event_row("scroll", at=NOON, event_id="unwanted"),
        event_row("hover", "bob", event_id="bobs"),
        event_row("hover", site="other", event_id="elsewhere"),
    )
    assert ids(read(warehouse, wanted({"hover": 1000, "copy": 1500}))) == ["longer", "oldest", "newest"]


def test_any_is_every_event_but_those_about_messages(warehouse: Warehouse) -> None:
    rows = [event_row(name, event_id=name) for name in ("hover", "shops_own", "email_opened", "message_shown")]
    store(warehouse, *rows)
    assert ids(read(warehouse, wanted({"any": 1000}))) == ["hover", "shops_own"]
    assert ids(read(warehouse, wanted({"any": 1000, "email_opened": 1000}))) == ["email_opened", "hover", "shops_own"]
    assert ids(read(warehouse, wanted({"any": 1000, "email_opened": 500}))) == ["email_opened", "hover", "shops_own"]


def test_columns_and_properties_are_read_as_they_are_wanted(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row(
            "hover", price=0, category="tents", path="/p", colour="red", nested={"a": 1}, items=[{"product_id": "p"}]
        ),
    )
    (columns,) = read(warehouse, wanted({"hover": 0}, "price", "category", "duration_ms", "name")).events
    assert columns.fields == {"price": 0.0, "category": "tents"}
    (properties,) = read(warehouse, wanted({"hover": 0}, "price", "nested", "items")).events
    assert properties.fields["price"] == 0.0
    assert properties.fields["nested"] == {"a": 1}
    assert properties.fields["items"] == [{"product_id": "p"}]
    assert "path" not in properties.fields
    (everything,) = read(warehouse, Wanted({"hover": 0}, None)).events
    assert everything.fields == {
        "price": 0.0,
        "category": "tents",
        "path": "/p",
        "colour": "red",
        "nested": {"a": 1},
        "items": [{"product_id": "p"}],
    }


def test_an_event_that_is_stored_twice_is_read_once(warehouse: Warehouse) -> None:
    for _ in range(2):
        store(warehouse, event_row("hover", event_id="same"))
    assert ids(read(warehouse, wanted({"hover": 0}))) == ["same"]


def test_a_person_has_the_events_of_every_id_and_nobody_elses(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("hover", "phone", event_id="1"),
        event_row("hover", "laptop", event_id="2"),
        event_row("hover", "bob", event_id="3"),
    )
    anna, bob = person("u1", "phone", "laptop"), person("bob")
    histories = read_histories(warehouse, [anna, bob], wanted({"hover": 0}), NOON, NOON)
    assert {who.visitor_id: ids(found) for who, found in histories.items()} == {"u1": ["1", "2"], "bob": ["3"]}


def test_people_of_two_sites_are_read_apart(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", event_id="1"), event_row("hover", event_id="2", site="other"))
    here, there = person("anna"), person("anna", site="other")
    histories = read_histories(warehouse, [here, there], wanted({"hover": 0}), NOON, NOON)
    assert (ids(histories[here]), ids(histories[there])) == (["1"], ["2"])


def test_surroundings_are_those_of_the_latest_event_that_has_them(warehouse: Warehouse) -> None:
    store(
        warehouse,
        event_row("hover", at=NOON - 90 * 86_400_000, device="desktop", country="DE"),
        event_row("hover", at=NOON - 2000, device="mobile", referrer="https://a.example"),
        event_row("scroll", at=NOON - 1000),
        event_row("scroll", at=NOON + 1000, device="tablet"),
    )
    asked = frozenset({"device", "country", "referrer", "utm_source"})
    history = read(warehouse, wanted({}, contexts=asked))
    expected = {"device": "mobile", "country": "DE", "referrer": "https://a.example", "utm_source": None}
    assert {field: history.context(field).at(NOON) for field in asked} == expected
    assert history.context("device").at(NOON - 2001) == "desktop"


def test_of_two_devices_the_one_used_last_counts_however_they_take_turns(warehouse: Warehouse) -> None:
    for step, (visitor, device) in enumerate([("phone", "mobile"), ("laptop", "desktop"), ("phone", "mobile")]):
        store(warehouse, event_row("hover", visitor, NOON - 3000 + step * 1000, device=device))
    history = read(warehouse, wanted({}, contexts=frozenset({"device"})), person("u1", "phone", "laptop"))
    series = history.context("device")
    assert [series.at(NOON - 3000 + step * 1000) for step in range(3)] == ["mobile", "desktop", "mobile"]


def test_surroundings_of_two_people_do_not_mix(warehouse: Warehouse) -> None:
    store(warehouse, event_row("hover", "anna", device="mobile"), event_row("hover", "bob", device="desktop"))
    asked = wanted({"hover": 0}, contexts=frozenset({"device"}))
    people = [person("anna"), person("bob"), person("cleo")]
    histories = read_histories(warehouse, people, asked, NOON, NOON)
    assert [histories[who].context("device").at(NOON) for who in people] == ["mobile", "desktop", None]


def test_more_people_than_fit_into_one_query_are_all_read(warehouse: Warehouse) -> None:
    store(warehouse, *(event_row("hover", f"visitor-{n}", device="mobile") for n in range(1200)))
    people = [person(f"visitor-{n}") for n in range(1201)]
    histories = read_histories(warehouse, people, wanted({"hover": 0}, contexts=frozenset({"device"})), NOON, NOON)
    assert [len(histories[who].events) for who in people] == [1] * 1200 + [0]
    assert histories[people[1199]].context("device").at(NOON) == "mobile"


@pytest.mark.parametrize("max_parts", [1, 2, 4])
def test_of_each_person_at_least_what_is_wanted_of_them_is_read(
    warehouse: Warehouse, max_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "MAX_PARTS", max_parts)
    hovers, copies = wanted({"hover": 0}, "price"), wanted({"copy": 1000}, "category", "colour")
    people = {person("anna", "phone"): hovers, person("bob"): copies, person("cleo"): copies, person("dora"): hovers}
    for visitor in ("phone", "bob", "cleo", "dora"):
        store(
            warehouse,
            event_row("hover", visitor, event_id="hover", price=5, category="tents"),
            event_row("copy", visitor, at=NOON - 1000, event_id="copy", price=5, category="tents", colour="red"),
        )
    events = read_own_events(warehouse, people, NOON, NOON)
    found = {who.visitor_id: sorted(event.event_id for event in theirs) for who, theirs in events.items()}
    apart = {"anna": ["hover"], "bob": ["copy"], "cleo": ["copy"], "dora": ["hover"]}
    assert found == (apart if max_parts > 1 else {visitor: ["copy", "hover"] for visitor in found})
    fields = {event.name: event.fields for theirs in events.values() for event in theirs}
    assert fields == {
        "hover": {"price": 5.0, "category": "tents"},
        "copy": {"price": 5.0, "category": "tents", "colour": "red"},
    }


def test_surroundings_are_added_to_those_who_are_asked_about(warehouse: Warehouse) -> None:
    anna, bob = person("u1", "phone", "laptop"), person("bob")
    store(warehouse, event_row("hover", "phone", NOON - 1, device="mobile"), event_row("hover", "bob", device="tablet"))
    store(warehouse, event_row("hover", "laptop", device="desktop"))
    histories = read_histories(warehouse, [anna, bob], wanted({"hover": 0}), NOON, NOON)
    surround(histories[anna], read_contexts(warehouse, [anna], frozenset({"device"}), NOON)[anna])
    assert [histories[anna].context("device").at(at) for at in (NOON - 2, NOON - 1, NOON)] == [
        None,
        "mobile",
        "desktop",
    ]
    assert histories[bob].context("device").at(NOON) is None


@pytest.mark.parametrize(("at", "expected"), [(NOON - 500, "mobile"), (NOON - 1, "mobile"), (NOON, "desktop")])
def test_surroundings_that_no_event_of_the_instant_tells_are_those_of_the_latest_before(
    warehouse: Warehouse, at: int, expected: str
) -> None:
    anna, bob = person("anna"), person("bob")
    store(warehouse, event_row("hover", "anna", NOON - 1000, device="mobile"), event_row("hover", "bob", at))
    store(warehouse, event_row("copy", "anna", at), event_row("copy", "anna", NOON, device="desktop"))
    histories = read_histories(warehouse, [anna, bob], wanted({"copy": 1000}), NOON, NOON)
    contexts = read_contexts(warehouse, histories, frozenset({"device", "country"}), NOON)
    for who, told in contexts.items():
        surround(histories[who], told)
    assert histories[anna].context("device").at(at) == expected
    assert histories[bob].context("device").at(at) is None


def test_names_from_outside_are_bound_and_not_pasted(warehouse: Warehouse) -> None:
    nasty = "x') OR 1=1 -- \\' {from_0:Int64} ü\n\t"
    store(warehouse, event_row("hover", nasty, event_id="1"), event_row("hover", "bob", event_id="2"))
    assert ids(read(warehouse, wanted({"hover": 0}), person(nasty))) == ["1"]


def test_surroundings_are_told_where_they_change_and_by_the_latest_event(warehouse: Warehouse) -> None:
    for after, device in enumerate(["mobile", "mobile", "desktop", "desktop", "", "desktop"]):
        store(warehouse, event_row("hover", at=NOON + after, event_id=f"{after}", device=device, country="DE"))
    told = read_contexts(warehouse, [ANNA], frozenset({"device", "country", "locale"}), NOON + 9)[ANNA]
    assert told == {
        "device": [(NOON, "mobile", "0"), (NOON + 2, "desktop", "2"), (NOON + 5, "desktop", "5")],
        "country": [(NOON, "DE", "0"), (NOON + 5, "DE", "5")],
        "locale": [],
    }
    assert read_contexts(warehouse, [ANNA], frozenset({"device"}), NOON)[ANNA] == {"device": [(NOON, "mobile", "0")]}


PARTS = [
    Wanted({"any": 1000}, None, frozenset({"device", "locale"})),
    wanted({"hover": 1000, "copy": 1500}, "price"),
    wanted({"hover": 0, "any": 500}, "colour", contexts=frozenset({"device"})),
    wanted({"email_opened": 2000}, "price", "device", contexts=frozenset({"device"})),
    wanted({}, contexts=frozenset({"locale"})),
]


@pytest.mark.parametrize("part", PARTS)
def test_events_that_are_read_with_surroundings_are_those_that_are_read_without(
    warehouse: Warehouse, part: Wanted
) -> None:
    people, rows = [person("u1", "phone"), person("bob"), person("cleo")], list[dict[str, Any]]()
    for visitor in ("u1", "phone", "bob"):
        for name in ("hover", "copy", "email_opened", "shops_own"):
            for ago in (-1, 0, 500, 501, 1000, 1001, 1500, 1501, 2000, 2001):
                fields = {"price": 5, "colour": "red", "device": f"d{ago % 3}", "locale": "de"}
                rows.append(event_row(name, visitor, NOON - ago, event_id=f"{name}-{visitor}-{ago}", **fields))
    store(warehouse, *rows)
    read = read_person_events(warehouse, people, part, NOON, NOON)
    alone = read_own_events(warehouse, dict.fromkeys(people, part), NOON, NOON)
    histories = read_histories(warehouse, people, part, NOON, NOON)
    for who in people:
        assert History(read[who].events).events == History(alone[who]).events == histories[who].events
        grown = History([], Surroundings(read[who].told).changes)
        for field in part.contexts:
            for at in range(NOON - 2002, NOON + 1):
                assert grown.context(field).at(at) == histories[who].context(field).at(at)


FIELDS: list[tuple[str, ...] | None] = [None, (), ("price",), ("price", "device"), ("price", "colour"), ("colour",)]


@pytest.mark.parametrize("fields", FIELDS)
def test_an_event_is_cut_to_what_would_be_read_of_it(warehouse: Warehouse, fields: tuple[str, ...] | None) -> None:
    store(warehouse, event_row("hover", price=5, category="tents", device="mobile", colour="red", nested={"a": [1]}))
    part = Wanted({"hover": 0}, None if fields is None else frozenset(fields))
    (whole,) = read(warehouse, Wanted({"hover": 0}, None)).events
    assert [part.cut(whole)] == read(warehouse, part).events


def test_names_are_taken_as_they_would_be_read() -> None:
    names = ("hover", "copy", "email_opened", "message_shown", "shops_own")
    taken = {
        lookback: [name for name in names if wanted(dict.fromkeys(lookback, 1000)).takes(name)]
        for lookback in ((), ("hover",), ("any",), ("any", "email_opened"))
    }
    assert taken == {
        (): [],
        ("hover",): ["hover"],
        ("any",): ["hover", "copy", "shops_own"],
        ("any", "email_opened"): ["hover", "copy", "email_opened", "shops_own"],
    }


@pytest.mark.parametrize(
    ("other", "covered"),
    [
        (wanted({"hover": 1000}, "price", contexts=frozenset({"device"})), True),
        (wanted({}), True),
        (wanted({"hover": 999}), True),
        (wanted({"hover": 1001}), False),
        (wanted({"copy": 0}), False),
        (wanted({"any": 0}), False),
        (wanted({"hover": 0}, "name"), False),
        (Wanted({"hover": 0}, None), False),
        (wanted({}, contexts=frozenset({"country"})), False),
    ],
)
def test_a_part_covers_another_that_asks_for_no_more(other: Wanted, covered: bool) -> None:
    part = wanted({"hover": 1000}, "price", contexts=frozenset({"device"}))
    assert part.covers(other) is covered
    assert Wanted(part.lookback_ms, None, part.contexts).covers(Wanted(part.lookback_ms, None))


def test_rules_are_read_together_and_what_they_share_once() -> None:
    rules = [
        rule("id: a\nwhen: hover[price > 3]\nif: count(scroll, 1h) > 1"),
        rule("id: b\nwhen: hover\nif: 'count(scroll, 2h) > 1 and device == \"mobile\"'"),
    ]
    found = combine(needs(one, NO_AUDIENCES) for one in rules)
    assert found.lookback_ms == {"hover": 0, "scroll": 7_200_000}
    # Whether an amount is in a foreign currency is read with it.
    assert found.fields == frozenset({"price", "foreign_currency"})
    assert found.contexts == {"device"}


@pytest.mark.parametrize("people", [[], [ANNA]])
def test_nothing_wanted_is_nothing_read(warehouse: Warehouse, people: list[Person]) -> None:
    histories = read_histories(warehouse, people, wanted({}), NOON, NOON)
    assert [history.events for history in histories.values()] == [[] for _ in people]


@pytest.mark.parametrize("names", [{"purchase": 5}, {"refund": 5, "hover": 7}, {"any": 5}])
def test_orders_are_read_as_far_back_as_anything_with_what_tells_them_apart(names: dict[str, int]) -> None:
    found = combine([wanted(names)])
    orders = {"purchase", "refund"} if "any" in names else names.keys() & {"purchase", "refund"}
    assert found.lookback_ms == names | dict.fromkeys(orders, 400 * 86_400_000)
    assert found.fields == frozenset({"order_id"})
    assert combine([found]) == found

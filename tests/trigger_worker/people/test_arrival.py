"""Events as collectors accept them, and as they are read from the table."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.people.arriving import ANNA, arrival, as_row
from tests.trigger_worker.stored import NOON, event_row, person, store, visitor
from trigger_worker.people.arrival import accepted, read_time
from trigger_worker.store.events import read_whole_events
from trigger_worker.store.feed import News
from warehouse.connection import Warehouse
from warehouse.event import format_time
from warehouse.vocabulary import COLUMN_FIELDS

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2))
columns = st.fixed_dictionaries(
    {},
    optional={
        name: texts if kind == "text" else st.floats(-1e9, 1e9) | st.integers(-(10**6), 10**6)
        for name, kind in COLUMN_FIELDS.items()
    },
)
#: Names that a page may choose; a property that its column cannot hold stays among them.
names = st.sampled_from(["colour", "traits", "items", "machine", "device", "price", "answers"])
items = st.lists(st.fixed_dictionaries({"product_id": texts, "price": numbers}, optional={"extra": values}), max_size=2)
traits = st.dictionaries(texts, values, max_size=3)
props = st.dictionaries(names, values, max_size=3) | st.fixed_dictionaries({"items": items, "traits": traits})


@given(st.lists(st.tuples(columns, props, st.integers(0, 4 * 10**12), st.booleans()), min_size=1, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_accepted_row_is_the_event_that_is_read_from_the_table(
    embedded_warehouse: Warehouse, made: list[tuple[dict[str, Any], dict[str, Any], int, bool]]
) -> None:
    anna = person("u1", "phone")
    rows = []
    for fields, properties, at, is_user in made:
        row = event_row("hover", "phone", at, user="u1" if is_user else "", stored_at=NOON, **fields)
        rows.append({**row, "props": event_row("hover", **_unlike_columns(properties))["props"]})
    store(embedded_warehouse, *rows)
    found = read_whole_events(embedded_warehouse, [(anna, row["event_id"]) for row in rows])
    arrivals = [accepted(as_row(row), NOON) for row in rows]
    assert [found[anna, one.event.event_id] for one in arrivals] == [one.event for one in arrivals]
    for one in arrivals:
        stored = found[anna, one.event.event_id].fields
        assert {name: type(stored[name]) for name in stored if name not in _NUMBERS} == {
            name: type(value) for name, value in one.event.fields.items() if name not in _NUMBERS
        }


#: A number may come whole, and is read as text and as a number alike.
_NUMBERS = {name for name, kind in COLUMN_FIELDS.items() if kind != "text"}


def _unlike_columns(properties: dict[str, Any]) -> dict[str, Any]:
    """Return properties as `event_row` takes them: under the names of columns only what those cannot hold."""
    return {name: value for name, value in properties.items() if name not in COLUMN_FIELDS}


def test_a_property_that_its_column_cannot_hold_is_a_property(warehouse: Warehouse) -> None:
    row = {**event_row("hover", price=5), "props": '{"device":{"a":1},"price":"cheap","colour":null}'}
    store(warehouse, row)
    found = read_whole_events(warehouse, [(person("anna"), row["event_id"])])
    event = accepted(as_row(row), NOON).event
    assert event.fields == {"device": {"a": 1}, "price": 5, "colour": None}
    assert found == {(person("anna"), row["event_id"]): event}


def test_an_event_of_a_browser_whose_user_is_known_joins_it_to_the_user() -> None:
    one = arrival("login", "phone", user="u1")
    assert (one.visitor, one.joined) == (visitor("u1"), "phone")
    assert arrival("login", "u1", user="u1").joined == ""
    assert arrival("login", "phone").joined == ""


def test_an_arrival_is_news_that_is_never_visible_before_it_happened() -> None:
    one = arrival("hover", at=NOON, stored_at=NOON + 7, event_id="e")
    assert one.as_news() == News(ANNA, "hover", "e", NOON, NOON + 7)
    assert arrival("hover", at=NOON, stored_at=NOON - 7, event_id="e").as_news().visible_at == NOON
    assert one.key == one.as_news().identity


@given(st.integers(0, 4 * 10**12))
def test_times_are_read_as_they_are_written(at: int) -> None:
    assert read_time(format_time(at)) == at

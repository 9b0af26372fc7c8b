"""Conditions in SQL."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.generate import Generator
from tests.trigger_worker.stored import NOON, event_row, store
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.selector import compile_condition
from trigger_worker.rules.language.parse import parse_goal
from trigger_worker.store.events import as_event, columns_of, listed
from trigger_worker.store.goal_sql import ConditionSql
from warehouse.connection import Warehouse

CONDITIONS = [
    "price + 5 > 10 and not (price / quantity < 10)",
    "-price < -9 and min(price, value) >= 5 and max(price, value) < 30",
    "price / 0 > 1 or not (price / 0 > 1)",
    "props.colour == 'red' or props.colour == true or props.colour == 5",
    "props.colour in ['red', 'blue'] or not (colour in [5, 6])",
    "props.traits.plan == 'pro' or props.traits.plan == 3",
    "colour and not (props.other)",
    "path ~ '*pri?ing*' and not (product_id ~ '*')",
    "path ~ '/p/1' or path ~ '/p.*'",
    "device in ['mobile', 'tablet'] and duration >= 3s",
    "10 <= price and 'a' == product_id",
    "(price > 5) == true and true != false",
    "country == 'IT' or not (country != 'IT')",
    "props.country == 'IT' and device ~ '*'",
    "device in ['mobile', 'crane'] or not device",
]
#: Columns about the visitor, and properties of the event's own that hide them.
HIDDEN = [
    {**event_row("hover", country="DE", device="mobile"), "props": '{"country":"IT","device":"crane"}'},
    {**event_row("hover", country="IT", device="mobile"), "props": '{"country":"DE","device":7}'},
    {**event_row("hover", country="IT"), "props": '{"device":["crane"]}'},
    {**event_row("hover", device="crane"), "props": '{"country":"IT"}'},
    {**event_row("hover", device="mobile"), "props": '{"country":{"IT":1},"device":true}'},
]


@given(st.randoms(use_true_random=True))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_condition_in_sql_is_true_of_the_same_events(warehouse: Warehouse, random: Random) -> None:
    generate = Generator(random)
    rows = [_row(event) for _ in range(6) for event in generate.events()]
    warehouse.command("TRUNCATE TABLE events")
    store(warehouse, *rows, *HIDDEN, event_row("hover"))
    texts = CONDITIONS + [generate.condition().text() for _ in range(20)]
    trees = [parse_goal(f"any[{text}]").selection.condition for text in texts]
    columns = columns_of(None)
    names = listed(columns)
    for text, tree in zip(texts, trees, strict=True):
        assert tree is not None
        sql = ConditionSql("goal")
        asked = f"SELECT visitor_id, event, toInt64(0), event_id, 0 {names}, {sql.condition(tree)} FROM events"
        test = compile_condition(tree)
        for _, *row, answer in warehouse.query(asked, sql.parameters):
            event: Event = as_event(row, columns)
            assert bool(answer) == (test(event.fields) is True), (text, event)


def _row(event: Any) -> dict[str, Any]:
    fields = {name: value for name, value in event["fields"].items() if not _is_odd(name, value)}
    return event_row(event["name"], "anna", NOON + event["ts"], event_id=event["id"], **fields)


def _is_odd(name: str, value: object) -> bool:
    """What the collector would not put into a column as it is."""
    return name in {"price", "quantity"} and isinstance(value, str)

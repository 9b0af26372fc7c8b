"""Where `when` matches: every construct, with its boundaries."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, event, fired_at, ms, rule
from trigger_worker.rules.evaluate.compiled_rule import compile_rule
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.model import NO_AUDIENCES

CASES: list[tuple[str, str, list[Event], list[str]]] = [
    ("an event of the name", "a", [event("a"), event("b", "1s")], ["0s"]),
    ("an event whose condition is true", "a[price > 5]", [event("a", price=6), event("a", "1s", price=5)], ["0s"]),
    ("one of several names", "(a or b)", [event("a"), event("b", "1s"), event("c", "2s")], ["0s", "1s"]),
    ("any event but the message group's", "any", [event("own"), event("email_opened", "1s")], ["0s"]),
    ("a message event by its name", "email_opened", [event("email_opened")], ["0s"]),
    ("a chain in order", "a -> b", [event("b"), event("a", "1s"), event("b", "2s")], ["2s"]),
    ("every completion of a chain", "a -> b", [event("a"), event("b", "1s"), event("b", "2s")], ["1s", "2s"]),
    ("a gap that is just kept", "a -> b within 2m", [event("a"), event("b", "2m")], ["2m"]),
    ("a gap that is just missed", "a -> b within 2m", [event("a"), event("b", "120001ms")], []),
    ("the latest start of a chain", "a -> b within 2m", [event("a"), event("a", "3m"), event("b", "4m")], ["4m"]),
    ("no gap named, 30 days at most", "a -> b", [event("a"), event("b", "30d")], ["30d"]),
    ("no gap named, longer than 30 days", "a -> b", [event("a"), event("b", "2592000001ms")], []),
    ("a gap named beyond 30 days", "a -> b within 40d", [event("a"), event("b", "40d")], ["40d"]),
    (
        "each gap by itself",
        "a -> b within 1m -> c within 1m",
        [event("a"), event("b", "1m"), event("c", "2m")],
        ["2m"],
    ),
    ("no event follows itself", "a -> a", [event("a")], []),
    ("equal names in a chain", "a -> a", [event("a"), event("a", "1s"), event("a", "2s")], ["1s", "2s"]),
    ("the same instant in order of ids", "a -> b", [event("a", event_id="x1"), event("b", event_id="x2")], ["0s"]),
    ("the same instant against the order", "a -> b", [event("a", event_id="x2"), event("b", event_id="x1")], []),
    ("an absence", "a -> no b within 15m", [event("a")], ["15m"]),
    ("a disturbance at the last instant", "a -> no b within 15m", [event("a"), event("b", "15m")], []),
    ("a disturbance too late", "a -> no b within 15m", [event("a"), event("b", "900001ms")], ["15m"]),
    ("a disturbance before", "a -> no b within 15m", [event("b"), event("a", "1s")], ["901s"]),
    ("a disturbance that does not count", "a -> no b[price > 5] within 15m", [event("a"), event("b", "1s")], ["15m"]),
    ("a restarted wait", "a -> no b within 15m", [event("a"), event("a", "5m")], ["20m"]),
    ("a wait restarted at its last instant", "a -> no b within 15m", [event("a"), event("a", "15m")], ["30m"]),
    ("two waits apart", "a -> no b within 15m", [event("a"), event("a", "900001ms")], ["15m", "1800001ms"]),
    (
        "of completions at one instant the last counts",
        "a -> no b within 15m",
        [event("a", event_id="x1"), event("b", event_id="x2"), event("a", event_id="x3")],
        ["15m"],
    ),
    (
        "a disturbance at the instant, later in order",
        "a -> no b within 15m",
        [event("a", event_id="x1"), event("b", event_id="x2")],
        [],
    ),
    ("inactivity", "any -> no any within 14d", [event("a"), event("b", "1d")], ["15d"]),
    (
        "inactivity despite our messages",
        "any -> no any within 14d",
        [event("a"), event("message_shown", "1d")],
        ["14d"],
    ),
    ("one event sent twice", "a", [event("a", event_id="x"), event("a", event_id="x")], ["0s"]),
]


@pytest.mark.parametrize(("when", "events", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_pattern_matches(when: str, events: list[Event], expected: list[str]) -> None:
    assert fired_at(f"when: '{when}'", reversed(events)) == [ms(each) for each in expected]


def matches(text: str, events: list[Event], since: str = "-1d", until: str = "1d") -> list[tuple[str, int]]:
    compiled = compile_rule(rule(text), NO_AUDIENCES)
    found = compiled.matches(History(events), NOON + ms(since), NOON + ms(until))
    return [(match.key, match.at - NOON) for match in found]


def test_a_key_splits_the_chain() -> None:
    events = [
        event("view", product_id="p1"),
        event("cart", "1s", product_id="p2"),
        event("cart", "2s", product_id="p1"),
    ]
    assert matches("when: view -> cart\nkey: product_id", events) == [("p1", 2000)]


def test_an_event_without_the_key_is_in_no_split() -> None:
    assert matches("when: view\nkey: product_id", [event("view"), event("view", product_id="")]) == []


def test_an_event_with_items_is_in_the_split_of_each_product_once() -> None:
    items = [{"product_id": "p1"}, {"product_id": "p2"}, {"product_id": "p1"}, {}]
    assert matches("when: purchase\nkey: product_id", [event("purchase", items=items)]) == [("p1", 0), ("p2", 0)]


def test_items_belong_to_no_other_key() -> None:
    bought = event("purchase", order_id="o1", items=[{"product_id": "p1", "order_id": "o2"}])
    assert matches("when: purchase\nkey: order_id", [bought]) == [("o1", 0)]


def test_a_disturbance_of_one_key_leaves_the_others() -> None:
    events = [
        event("email_opened", message_id="m1"),
        event("email_opened", message_id="m2"),
        event("email_clicked", "1h", message_id="m2"),
    ]
    when = "when: email_opened -> no email_clicked within 4h\nkey: message_id"
    assert matches(when, events) == [("m1", ms("4h"))]


@pytest.mark.parametrize(("value", "key"), [(5, "5"), (5.5, "5.5"), (True, "true"), ("x", "x")])
def test_keys_are_texts(value: object, key: str) -> None:
    assert matches("when: a\nkey: props.k", [event("a", k=value)]) == [(key, 0)]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [("0s", "2s", [0, 1000, 2000]), ("1ms", "2s", [1000, 2000]), ("0s", "1999ms", [0, 1000]), ("3s", "4s", [])],
)
def test_both_ends_of_the_range_belong_to_it(since: str, until: str, expected: list[int]) -> None:
    events = [event("a"), event("a", "1s"), event("a", "2s")]
    assert [at for _, at in matches("when: a", events, since, until)] == expected


def test_the_range_is_of_instants_not_of_events() -> None:
    assert matches("when: a -> no b within 1h", [event("a")], "1h", "1h") == [("", ms("1h"))]
    assert matches("when: a -> no b within 1h", [event("a")], "0s", "3599999ms") == []

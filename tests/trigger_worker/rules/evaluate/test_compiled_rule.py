"""A whole rule, asked of visitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.support import NOON, event, fired_at, ms, rule
from trigger_worker.rules.evaluate.compiled_rule import Spacing, as_known, compile_rule, fire_id
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.pattern import Match
from trigger_worker.rules.model import NO_AUDIENCES
from trigger_worker.store.fires import PastFire, PastFires


def firings(
    matches: list[Match],
    every_ms: int,
    fired_before: Mapping[str, Sequence[int]],
    qualifies: Callable[[Match], bool] = lambda _: True,
    known_before: Mapping[str, Sequence[int]] | None = None,
    lifetime_ms: int = 0,
) -> list[Match]:
    """Return the matches that fire, in the order in which they could be known."""
    return Spacing(every_ms, fired_before, known_before).choose(as_known(matches, lifetime_ms), qualifies)


SENDING = """
when: add_to_cart
send:
  - email: reminder
    if: cart.value > 10
    unless: opened(email) or goal_reached
"""


def test_if_is_asked_at_the_instant_of_the_match_and_before_every() -> None:
    events = [event("a"), event("a", "1h", device="mobile"), event("a", "2h", device="mobile")]
    assert fired_at('when: a\nif: device == "mobile"\nevery: 3h', events) == [ms("1h")]


def test_if_sees_all_of_the_visitor_whatever_the_key() -> None:
    events = [event("a", product_id="p1"), event("a", "1s", product_id="p2")]
    assert fired_at("when: a\nif: count(a, 1h) == 2\nkey: product_id", events) == [1000]


def test_if_sees_events_of_the_same_instant() -> None:
    events = [event("a", event_id="x1"), event("b", event_id="x2")]
    assert fired_at("when: a\nif: count(b, 1h) == 1", events) == [0]


def test_every_is_24_hours_unless_told() -> None:
    events = [event("a"), event("a", "23h"), event("a", "24h")]
    assert fired_at("when: a\nevery: 24h", events) == [0, ms("24h")]


def test_a_rule_gives_its_firings_for_one_visitor() -> None:
    fired = compile_rule(rule("when: a"), NO_AUDIENCES).firings(History([event("a")]), NOON, NOON, {})
    assert [(match.key, match.at) for match in fired] == [("", NOON)]


@pytest.mark.parametrize(
    ("value", "facts", "expected"),
    [
        (20, {}, True),
        (10, {}, False),
        (20, {"opened(email)": True}, False),
        (20, {"goal_reached": True}, False),
        (20, {"clicked(email)": True}, True),
    ],
)
def test_a_message_goes_by_its_own_conditions(value: int, facts: dict[str, bool], expected: bool) -> None:
    subject = rule(SENDING)
    compiled = compile_rule(subject, NO_AUDIENCES)
    history = History([event("add_to_cart", value=value)])
    assert compiled.may_send(subject.send[0], history, NOON, facts) is expected


def test_a_message_without_conditions_goes() -> None:
    subject = rule("when: a\nsend: [{banner: bar}]")
    compiled = compile_rule(subject, NO_AUDIENCES)
    assert compiled.may_send(subject.send[0], History([]), NOON, {}) is True


def test_an_explanation_is_of_if() -> None:
    explained = compile_rule(rule("when: a\nif: cart.value > 5"), NO_AUDIENCES).explain(History([]), NOON)
    assert explained is not None
    assert explained.value is False
    assert compile_rule(rule("when: a"), NO_AUDIENCES).explain(History([]), NOON) is None


def match(at: int, key: str = "") -> Match:
    return Match(key, at, event("a"))


@pytest.mark.parametrize(
    ("instants", "every_ms", "fired_before", "expected"),
    [
        ([0, 5, 10, 19, 20], 10, {}, [0, 10, 20]),
        ([0, 9, 10], 10, {}, [0, 10]),
        ([5, 6, 7], 0, {}, [5, 6, 7]),
        ([5, 5], 0, {}, [5]),
        ([5, 15], 10, {"": [0]}, [15]),
        ([10], 10, {"": [0]}, [10]),
        ([10], 0, {"": [10]}, []),
        ([10, 20, 25], 10, {"": [22]}, [10]),
        ([5, 10, 20, 30, 40], 10, {"": [0, 25]}, [10, 40]),
        ([5, 6, 7], 0, {"": [5, 7]}, [6]),
        ([], 10, {}, []),
    ],
)
def test_a_match_fires_unless_another_is_too_near(
    instants: list[int], every_ms: int, fired_before: dict[str, list[int]], expected: list[int]
) -> None:
    fired = firings([match(at) for at in instants], every_ms, fired_before)
    assert [each.at for each in fired] == expected


DAY = 86_400_000


def late(at: int, known_at: int) -> Match:
    return Match("", at, Event("a", at, f"e{at}", {}, known_at - at))


@pytest.mark.parametrize(
    ("matches", "every_ms", "expected"),
    [
        pytest.param([late(day * DAY, 8 * DAY) for day in range(8)], DAY, [7], id="all at once: the one worth most"),
        pytest.param([late(day * DAY, 8 * DAY) for day in range(5)], DAY, [0], id="all at once, and worth nothing"),
        pytest.param([late(day * DAY, 8 * DAY) for day in range(8)], 0, list(range(8)), id="each fires without every"),
        pytest.param([late(0, 8 * DAY), late(1 * DAY, 9 * DAY)], DAY, [0, 1], id="known as far apart as they were"),
        pytest.param([late(0, 8 * DAY), match(7 * DAY + 1)], DAY, [7], id="whoever was addressed yesterday"),
        pytest.param([late(0, 8 * DAY), match(8 * DAY + 1)], DAY, [0], id="nor tomorrow"),
        pytest.param([late(0, 8 * DAY), match(1)], DAY, [0], id="in time comes first"),
    ],
)
def test_every_holds_by_when_late_matches_could_be_known_as_well(
    matches: list[Match], every_ms: int, expected: list[int]
) -> None:
    fired = firings(matches, every_ms, {}, lifetime_ms=DAY)
    assert sorted(each.at // DAY for each in fired) == expected


def test_every_holds_between_firings_of_before_and_late_ones() -> None:
    assert firings([late(0, 8 * DAY)], DAY, {"": [3 * DAY]}, known_before={"": [8 * DAY - 1]}) == []
    assert len(firings([late(0, 8 * DAY)], DAY, {"": [3 * DAY]}, known_before={"": [7 * DAY]})) == 1


@given(st.randoms(use_true_random=True))
@settings(max_examples=500, deadline=None)
def test_whoever_hears_of_late_events_as_they_come_fires_as_whoever_replays_them(random: Random) -> None:
    every = random.choice([0, 1, 3, 10]) * 10_000
    asked = compile_rule(rule(f"when: a\nevery: {every}ms"), NO_AUDIENCES)
    events = [
        Event("a", at, f"{number:02}", {}, random.choice([0, 0, 6_000, 30_000, 100_000]))
        for number, at in enumerate(random.choices(range(0, 200_000, 5_000), k=random.randrange(12)))
    ]
    history, fires = History((), {}), PastFires()
    for known_at in sorted({each.ts + each.late_ms for each in events}):
        fresh = [each for each in events if each.ts + each.late_ms == known_at]
        history.add(fresh)
        since = min(each.ts for each in fresh)
        for one in asked.firings(history, since, known_at, fires.of("r"), fires.known_of("r")):
            fires.add(PastFire("r", one.key, one.at, str(one.at), one.late_ms))
    replayed = asked.firings(History(events, {}), 0, 1_000_000, {})
    assert sorted(one.at for one in replayed) == sorted(one.at for one in fires)


def test_keys_are_counted_apart() -> None:
    fired = firings([match(0, "a"), match(1, "b"), match(2, "a")], 10, {"b": [0]})
    assert [(each.key, each.at) for each in fired] == [("a", 0)]


def test_a_match_that_does_not_qualify_stops_none() -> None:
    fired = firings([match(0), match(5)], 10, {}, lambda each: each.at > 0)
    assert [each.at for each in fired] == [5]


def test_the_id_of_a_firing_depends_on_rule_version_visitor_key_and_instant() -> None:
    first, other = rule("when: a"), rule("when: b")
    renamed = msgspec.structs.replace(first, id="r2")
    ids = [
        fire_id(first, "v1", match(0)),
        fire_id(other, "v1", match(0)),
        fire_id(renamed, "v1", match(0)),
        fire_id(first, "v2", match(0)),
        fire_id(first, "v1", match(1)),
        fire_id(first, "v1", match(0, "k")),
    ]
    assert len(set(ids)) == len(ids)
    assert fire_id(first, "v1", match(0)) == ids[0]
    assert UUID(ids[0]).version == 5


@pytest.mark.parametrize(
    ("goal", "after", "now", "expected"),
    [
        ("purchase", "1h", "2h", True),
        ("purchase", "0s", "2h", False),
        ("purchase", "-1h", "2h", False),
        ("purchase", "2h", "2h", True),
        ("purchase", "3h", "2h", False),
        ("purchase within 1h", "1h", "2h", True),
        ("purchase within 1h", "61m", "2h", False),
        ("purchase[value >= 50]", "1h", "2h", True),
        ("purchase[value > 50]", "1h", "2h", False),
        ("(sign_up or purchase)", "1h", "2h", True),
        ("sign_up", "1h", "2h", False),
    ],
)
def test_the_goal_must_happen_after_the_firing_and_in_its_window(
    goal: str, after: str, now: str, expected: bool
) -> None:
    history = History([event("purchase", after, value=50)])
    compiled = compile_rule(rule(f"when: hover\ngoal: '{goal}'"), NO_AUDIENCES)
    assert compiled.goal_reached(history, NOON, NOON + ms(now)) is expected


def test_the_first_event_of_the_goal_counts() -> None:
    history = History([event("purchase", after) for after in ("-1h", "1h", "2h")])
    compiled = compile_rule(rule("when: hover\ngoal: purchase within 1h"), NO_AUDIENCES)
    assert compiled.goal_instant(history, NOON) == NOON + ms("1h")
    assert compiled.goal_instant(history, NOON + 1) == NOON + ms("1h")
    assert compiled.goal_instant(history, NOON + ms("1h")) == NOON + ms("2h")
    assert compiled.goal_instant(history, NOON + ms("2h")) is None


def test_without_a_goal_none_is_reached() -> None:
    compiled = compile_rule(rule("when: hover"), NO_AUDIENCES)
    assert compiled.goal_reached(History([event("purchase", "1h")]), NOON, NOON + ms("2h")) is False
    assert compiled.goal_needs(1000) == []


def test_a_goal_looks_at_its_events_since_the_firing() -> None:
    compiled = compile_rule(rule("when: hover\ngoal: purchase[value > 50] within 3d"), NO_AUDIENCES)
    (needs,) = compiled.goal_needs(1000)
    assert needs.lookback_ms == {"purchase": 1000}
    assert needs.fields == {"value"}


def test_an_order_is_answered_once_for_each_key_whenever_its_tellings_happened() -> None:
    def told(order_id: str, key: str = "") -> Match:
        return Match(key, NOON, event("purchase", event_id=f"purchase:{order_id}", order_id=order_id))

    before = frozenset({("", "purchase 1"), ("p1", "purchase 2")})
    assert Spacing(0, {}, orders_before=before).choose([told("1")]) == []
    assert Spacing(0, {}, orders_before=before).choose([told("2", "p1")]) == []
    for fresh in (told("3"), told("2"), told("1", "p1"), Match("", NOON, event("view_item", order_id="1"))):
        assert Spacing(0, {}, orders_before=before).choose([fresh]) == [fresh]

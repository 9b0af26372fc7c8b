"""Which matches fire, and the ids of firings."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from tests.trigger_worker.rules.evaluate.support import event, rule
from trigger_worker.rules.evaluate.firing import fire_id, firings
from trigger_worker.rules.evaluate.pattern import Match


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

"""Rules that would read all that a visitor ever did are refused, at the part that would."""

from __future__ import annotations

import pytest

from trigger_worker.rules.files.audiences import read_audiences
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames

HINT = "(name the events, or look back at most 90d)"

DEAR = [
    ("when: any -> no any within 92d", ["2:17: {} 92d", "2:7: {} 92d"]),
    ("when: any -> view_item -> add_to_cart within 62d", ["2:7: {} 92d"]),
    ("when: any[path == '/'] -> search within 92d", ["2:7: {} 92d"]),
    ("when: search\nif: count(any, 400d) > 3", ["3:16: {} 400d"]),
    ("when: search\nif: not (uniq(any[price > 3].product_id, 92d) > 3)", ["3:42: {} 92d"]),
    ("when: search\nif: true and since(any) > 7d", ["3:14: {} 400d"]),
    ("when: search\ngoal: any within 100d", ["3:7: {} 100d"]),
    ("when: search\nsend: [{banner: b, if: 'count(any, 100d) > 3'}]", ["3:36: {} 100d"]),
]

AFFORDABLE = [
    "when: any -> no any within 90d",
    "when: any -> view_item -> add_to_cart -> no purchase within 30d",
    "when: add_to_cart -> no purchase within 400d",
    "when: search\nif: count(any, 90d) > 3 and since(any[price > 3]) > 7d and last(any.price) > 3",
    "when: search\nif: count(purchase, 400d) > 3 and since(purchase) > 7d",
    "when: search\ngoal: any",
]


def problems(body: str) -> list[str]:
    return [str(problem) for problem in read_rule(f"id: r\n{body}\n", "r.yaml", AudienceNames()).problems]


@pytest.mark.parametrize(("body", "expected"), DEAR)
def test_any_may_not_look_far_back(body: str, expected: list[str]) -> None:
    told = "any would read all that a visitor did in"
    assert sorted(problems(body)) == sorted(f"r.yaml:{place.format(told)}: too much {HINT}" for place in expected)


@pytest.mark.parametrize("body", AFFORDABLE)
def test_named_events_and_short_spans_may(body: str) -> None:
    assert problems(body) == []


def test_audiences_are_held_to_the_same() -> None:
    reading = read_audiences("segments:\n  idle: count(any, 365d) == 0\n", "audiences.yaml")
    assert [str(problem) for problem in reading.problems] == [
        f"audiences.yaml:2:20: any would read all that a visitor did in 365d: too much {HINT}"
    ]
    assert reading.audiences.segments == {}

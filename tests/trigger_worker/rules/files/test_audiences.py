"""audiences.yaml: what can be used of it, and what its problems say."""

from __future__ import annotations

import pytest

from trigger_worker.rules.files.audiences import names_of, read_audiences
from trigger_worker.rules.language.render import render
from trigger_worker.rules.model import NO_AUDIENCES

GOOD = """\
segments:
  high_intent: count(view_item, 24h) >= 4 or since(add_to_cart) <= 24h
  vip: segment("high_intent") and stage == "loyal" and score("engagement") > 5
stages:                      # first that is true wins
  churned:  since(purchase) > 90d
  loyal:    count(purchase, 365d) >= 5
  visitor:  true
scores:                      # 0..10, clamped
  engagement: 4 * min(1, count(email_clicked, 90d) / 3) + 2.5 * min(1, count(purchase, 365d) / 5)
"""

NO_CONDITION = "expected a condition that is true or false, found a number:"


def problems_of(text: str) -> list[str]:
    return [str(problem) for problem in read_audiences(text, "audiences.yaml").problems]


def test_all_sections_are_read_in_order() -> None:
    reading = read_audiences(GOOD, "audiences.yaml")
    assert reading.problems == []
    assert list(reading.audiences.segments) == ["high_intent", "vip"]
    assert list(reading.audiences.stages) == ["churned", "loyal", "visitor"]
    assert render(reading.audiences.stages["churned"]) == "since(purchase) > 90d"
    assert names_of(reading.audiences).scores == {"engagement"}


@pytest.mark.parametrize("text", ["", "# nothing yet"])
def test_an_empty_file_has_no_audiences(text: str) -> None:
    assert read_audiences(text, "audiences.yaml").audiences == NO_AUDIENCES
    assert problems_of(text) == []


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("hello", ['1:1: expected audiences, found "hello" (write keys such as segments:)']),
        ("segment: {}", ['1:1: audiences.yaml has no key "segment" (did you mean segments?)']),
        ("segments: [a]", ["1:11: expected segment names, found a list"]),
        ("segments:\n  a b: true", ['2:3: expected a name of letters, digits, _ and -, at most 64 long, found "a b"']),
        ("segments:\n  a: true\n  a: false", ['3:3: the segment "a" stands here twice (keep one of them)']),
        ("segments:\n  a: 1 +", ["2:9: expected a value, found the end"]),
        ("segments:\n  a: [x]", ["2:6: expected a value, found a list"]),
        (
            "segments:\n  a: cart.value",
            [f"2:6: {NO_CONDITION} cart.value (compare it, as in cart.value == ...)"],
        ),
        ("scores:\n  a: true", ["2:6: expected a number, found true or false: true"]),
        ("segments:\n  a: segment('b')", ['2:6: there is no segment "b" (define it in audiences.yaml)']),
        ("segments:\n  a: segment('a')", ['2:6: segment "a" refers to itself: segment "a" -> segment "a"']),
        ("stages:\n  a: stage == 'a'", ['2:6: stage "a" refers to itself: stage "a" -> stage "a"']),
        (
            "segments:\n  a: true and segment('b')\nscores:\n  b: 1\n  s: 2 * score('b') + c",
            [
                '2:15: there is no segment "b" (define it in audiences.yaml)',
                "5:23: nothing is known of a visitor by the name c (write last(EVENT.FIELD), or traits.NAME)",
            ],
        ),
    ],
)
def test_a_malformed_file_says_where(text: str, problems: list[str]) -> None:
    assert problems_of(text) == [f"audiences.yaml:{problem}" for problem in problems]


def test_a_circle_is_told_of_all_its_members_and_leaves_out_what_rests_on_it() -> None:
    text = (
        "segments:\n  a: segment('b')\n  b: score('c') > 1\n  d: segment('a')\n  good: true\n"
        "scores:\n  c: 1 + min(1, score('e'))\n  e: score('c')"
    )
    assert problems_of(text) == [
        'audiences.yaml:2:6: segment "a" refers to segment "b", which cannot be used',
        'audiences.yaml:3:6: segment "b" refers to score "c", which cannot be used',
        'audiences.yaml:4:6: segment "d" refers to segment "a", which cannot be used',
        'audiences.yaml:7:17: score "c" refers to itself: score "c" -> score "e" -> score "c"',
        'audiences.yaml:8:6: score "e" refers to itself: score "e" -> score "c" -> score "e"',
    ]
    assert list(read_audiences(text, "audiences.yaml").audiences.segments) == ["good"]


def test_a_broken_definition_leaves_out_what_rests_on_it() -> None:
    text = "segments:\n  a: 1 +\n  b: segment('a')\n  good: true"
    assert problems_of(text) == [
        "audiences.yaml:2:9: expected a value, found the end",
        'audiences.yaml:3:6: segment "b" refers to segment "a", which cannot be used',
    ]
    assert list(read_audiences(text, "audiences.yaml").audiences.segments) == ["good"]


def test_a_broken_stage_leaves_out_all_stages() -> None:
    text = "stages:\n  churned: since(purchase) > 90\n  visitor: true\nsegments:\n  new: stage == 'visitor'"
    reading = read_audiences(text, "audiences.yaml")
    assert (reading.audiences.stages, reading.audiences.segments) == ({}, {})
    assert [problem.message for problem in reading.problems] == [
        "expected a duration to compare with since(purchase), found a number: 90",
        'segment "new" refers to stages, which cannot be used',
    ]

"""Whatever an author writes becomes a rule or problems, never an exception."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from trigger_worker.rules.files.audiences import read_audiences
from trigger_worker.rules.files.read import KEYS, read_rule
from trigger_worker.rules.language.check import AudienceNames

YAML_PARTS = [*KEYS, "segments", "stages", "scores", "banner", "at", ":", ": ", "\n", "\n  ", "- ", "{", "}", "[", "]"]
YAML_PARTS += ["'", '"', "|", ">", "|-\n  ", "&a", "*a", "!!str ", "#", ",", "~", "\\", "\t", "<<"]
RULE_PARTS = [
    "view_item",
    " -> ",
    "no ",
    "any",
    "within ",
    "15m",
    "0s",
    "count(",
    "since(",
    ")",
    "[",
    "]",
    "price",
    ".",
    "a",
]
RULE_PARTS += [
    " == ",
    " > ",
    " in ",
    " ~ ",
    " and ",
    "not ",
    "-",
    "*",
    "/",
    "3",
    '"x"',
    "'",
    "stage",
    "cart.value",
    "true",
    ",",
]

pieces = st.lists(st.sampled_from(YAML_PARTS + RULE_PARTS), max_size=25).map("".join)
bodies = st.lists(st.sampled_from(RULE_PARTS), max_size=20).map("".join)


def is_answered(text: str) -> bool:
    reading = read_rule(text, "r.yaml", AudienceNames())
    has_errors = any(problem.severity == "error" for problem in reading.problems)
    return (reading.rule is None) is has_errors


@given(st.one_of(pieces, st.text()))
@example("if: |")
@example("id: r\nwhen: |")
@example("&a [*a]")
@settings(max_examples=500, deadline=None)
def test_any_file_is_a_rule_or_has_errors(text: str) -> None:
    assert is_answered(text)


@given(bodies, bodies, st.sampled_from(["'", '"', "|", ">", ""]))
@settings(max_examples=500, deadline=None)
def test_any_pattern_and_expression_is_a_rule_or_has_errors(when: str, condition: str, style: str) -> None:
    def scalar(text: str) -> str:
        return f"{style}\n   {text}" if style in {"|", ">"} else f"{style}{text}{style}"

    assert is_answered(f"id: r\nwhen: {scalar(when)}\nif: {scalar(condition)}\n")


@given(st.one_of(pieces, st.text()))
@settings(max_examples=300, deadline=None)
def test_any_audiences_file_is_read(text: str) -> None:
    for problem in read_audiences(text, "audiences.yaml").problems:
        assert problem.line >= 1
        assert problem.column >= 1

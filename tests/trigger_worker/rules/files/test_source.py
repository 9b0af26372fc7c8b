"""Every character of a value knows its place in the file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from trigger_worker.rules.files.source import Source
from trigger_worker.rules.language.errors import Finding

words = st.text("ab\"'\\>=1", min_size=1, max_size=6)
values = st.lists(words, min_size=1, max_size=12).map(" ".join)
styles = st.sampled_from([None, '"', "'", "|", ">"])


@given(values, styles, st.integers(0, 6))
@settings(deadline=None)
def test_a_finding_inside_a_value_points_at_its_character(value: str, style: str | None, indent: int) -> None:
    text = yaml.dump({"outer": {"if": value}}, default_style=style, width=20, indent=2 + indent)
    node = scalar_in(text)
    assert node.value.rstrip("\n") == value
    lines = text.splitlines()
    previous = (0, 0)
    for offset, character in enumerate(value):
        if character == " ":
            continue
        source = Source("r.yaml", text)
        source.report_inside(node, Finding("here", offset))
        (problem,) = source.problems
        assert lines[problem.line - 1][problem.column - 1] == character
        assert (problem.line, problem.column) >= previous
        previous = (problem.line, problem.column)


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("a: {if: one two}", 4, (1, 13)),
        ("a: {if: one two}", 7, (1, 16)),
        ('a: {if: "x \\"y\\" z"}', 3, (1, 14)),
        ('a: {if: "x \\"y\\" z"}', 6, (1, 18)),
        ('a: {if: "\\u0061b"}', 1, (1, 16)),
        ("a:\n  if: |\n    one\n      two", 6, (4, 7)),
        ("a:\n  if: one\n\n\n    two", 5, (5, 5)),
        ("a: {if: 'it''s'}", 3, (1, 14)),
    ],
)
def test_the_place_is_where_an_author_would_look(text: str, offset: int, place: tuple[int, int]) -> None:
    source = Source("r.yaml", text)
    source.report_inside(scalar_in(text), Finding("here", offset))
    (problem,) = source.problems
    assert (problem.line, problem.column) == place


def scalar_in(text: str) -> yaml.ScalarNode:
    root = Source("r.yaml", text).compose()
    assert isinstance(root, yaml.MappingNode)
    inner = root.value[0][1]
    node = inner.value[0][1]
    assert isinstance(node, yaml.ScalarNode)
    return node

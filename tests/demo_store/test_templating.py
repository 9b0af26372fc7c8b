from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some
from jinja2 import UndefinedError

from demo_store.templating import build_environment, shade, to_script_json


@pytest.mark.parametrize(
    ("amount", "expected"), [(0, "#808080"), (1, "#ffffff"), (-1, "#000000"), (0.5, "#c0c0c0"), (-0.5, "#404040")]
)
def test_shading_goes_towards_white_or_black(amount: float, expected: str) -> None:
    assert shade("#808080", amount) == expected


def test_whatever_is_shown_is_escaped() -> None:
    template = build_environment().from_string("{{ text }}")
    assert template.render(text="<b>") == "&lt;b&gt;"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        build_environment().from_string("{{ unheard_of }}").render()


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--", "]]>", "&lt;", "\u2028\u2029", "'\"\\"])
def test_nothing_in_it_can_end_a_script(text: str) -> None:
    written = to_script_json({"value": text})
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == {"value": text}


@given(some.recursive(some.none() | some.integers() | some.text(), lambda inner: some.lists(inner, max_size=3)))
def test_what_is_written_is_read_back(data: object) -> None:
    assert json.loads(to_script_json(data)) == data

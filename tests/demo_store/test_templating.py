from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from demo_store.templating import build_environment, shade


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

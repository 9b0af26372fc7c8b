"""The `theme` of a banner's template."""

from __future__ import annotations

import re
from typing import Final

from trigger_worker.delivery.content.model import Theme
from trigger_worker.rules.files.fields import Fields
from warehouse.errors import RuleError

_COLOURS: Final = ("background", "color", "accent")
_KEYS: Final = (*_COLOURS, "radius", "font")
_COLOUR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_LARGEST_RADIUS: Final = 40


def read_theme(banner: Fields) -> Theme | None:
    """Reads the look; what does not fit becomes a problem of the file."""
    fields = banner.mapping("theme", _KEYS, "a theme")
    if fields is None:
        return None
    colours = {key: fields.parsed(key, _colour) or "" for key in _COLOURS}
    font = fields.choice("font", ("inherit",))
    return Theme(**colours, radius=fields.parsed("radius", _radius), font="inherit" if font else "")


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise RuleError(f'expected a colour such as "#1f6feb", found "{text}"', "in quotes, since # begins a comment")
    return text


def _radius(text: str) -> int:
    if not text.isdecimal() or int(text) > _LARGEST_RADIUS:
        raise RuleError(f'expected a whole number of pixels from 0 to {_LARGEST_RADIUS}, found "{text}"')
    return int(text)

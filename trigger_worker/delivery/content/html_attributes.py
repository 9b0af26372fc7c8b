"""Reads the attributes of an HTML start tag as browsers do, on every version of Python.

Python's parser decodes `&region=` in an attribute to `®ion=` on some versions; browsers leave a named reference without
its semicolon alone where `=` or an alphanumeric follows.
"""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5
from typing import Final

#: An attribute's name, and its value or None.
Attribute = tuple[str, str | None]

_NAME: Final = re.compile(r"<[^\t\n\f\r />]*")
_ATTRIBUTE: Final = re.compile(
    r"""[\t\n\f\r /]*(=?[^\t\n\f\r />=]+)(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"?|'([^']*)'?|([^\t\n\f\r >]*)))?"""
)
_REFERENCE: Final = re.compile(r"&(?:#(?:[0-9]+|[xX][0-9a-fA-F]+);?|([A-Za-z][A-Za-z0-9]*;?))")


def attributes_of(start_tag: str) -> list[Attribute]:
    """Return the attributes of a start tag, in their order, values decoded.

    Args:
        start_tag: from `<` to `>`.
    """
    attributes: list[Attribute] = []
    place = _NAME.match(start_tag)
    at = place.end() if place else 0
    while found := _ATTRIBUTE.match(start_tag, at):
        name, *values = found.groups()
        value = next((value for value in values if value is not None), None)
        attributes.append((name.lower(), None if value is None else attribute_text(value)))
        at = found.end()
    return attributes


def attribute_text(value: str) -> str:
    """Return an attribute's value with its character references decoded.

    Source: https://html.spec.whatwg.org/multipage/parsing.html#named-character-reference-state.
    """
    return _REFERENCE.sub(_decoded, value) if "&" in value else value


def _decoded(found: re.Match[str]) -> str:
    name = found[1]
    if name is None:
        return unescape(found[0])
    followed_by = found.string[found.end() : found.end() + 1]
    return found[0] if followed_by == "=" and not name.endswith(";") else html5.get(name, found[0])

"""The little of Shopify's template language that our snippet for themes uses, so that tests render the very file."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
from collections.abc import Mapping
from typing import Any, Final

_TOKENS: Final = re.compile(r"({%.*?%}|{{.*?}})", re.DOTALL)
_FILTERS: Final = re.compile(r"\s*\|\s*")
_LITERAL: Final = re.compile(r'"([^"]*)"')


def render(template: str, facts: Mapping[str, Any]) -> str:
    """Return a template with its objects, filters, conditions, assignments and comments worked out.

    Args:
        template: Liquid; conditions do not lie inside each other.
        facts: the objects, by name.
    """
    values, shown, is_shown, is_comment = dict(facts), [], True, False
    for token in _TOKENS.split(template):
        words = token[2:-2].strip("-").split(None, 1) if token.startswith("{%") else []
        if words[:1] in (["comment"], ["endcomment"]):
            is_comment = words[0] == "comment"
        elif words[:1] == ["if"]:
            is_shown = bool(_value(words[1], values))
        elif words[:1] == ["else"]:
            is_shown = not is_shown
        elif words[:1] == ["endif"]:
            is_shown = True
        elif is_comment or not is_shown:
            continue
        elif words[:1] == ["assign"]:
            name, _, expression = words[1].partition("=")
            values[name.strip()] = _value(expression, values)
        elif token.startswith("{{"):
            shown.append(_text(_value(token[2:-2], values)))
        else:
            shown.append(token)
    return "".join(shown)


def _value(expression: str, values: Mapping[str, Any]) -> Any:
    first, *filters = _FILTERS.split(expression.strip())
    value = _plain(first, values)
    for each in filters:
        name, _, argument = each.partition(":")
        value = _filtered(value, name.strip(), _plain(argument.strip(), values) if argument else None)
    return value


def _plain(expression: str, values: Mapping[str, Any]) -> Any:
    if found := _LITERAL.fullmatch(expression):
        return found[1]
    if re.fullmatch(r"[\d.]+", expression):
        return float(expression)
    value: Any = values
    for step in expression.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _filtered(value: Any, name: str, argument: Any) -> Any:
    match name:
        case "json":
            return json.dumps(value).replace("</", "<\\/")
        case "escape":
            return html.escape(_text(value))
        case "append":
            return _text(value) + argument
        case "default":
            return value or argument
        case "divided_by":
            return value / argument
        case "hmac_sha256":
            return hmac.new(argument.encode(), value.encode(), hashlib.sha256).hexdigest()
    raise AssertionError(f"no filter {name}")


def _text(value: Any) -> str:
    return "" if value is None else str(value)

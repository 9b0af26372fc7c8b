"""Compile the selection of a step or a term into a test of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import msgspec

from trigger_worker.rules.evaluate.event import as_number, as_value, read_field
from trigger_worker.rules.evaluate.operators import Reader, compile_operator
from trigger_worker.rules.language.names import field_path, names_currency
from trigger_worker.rules.language.render import render_selection
from trigger_worker.rules.language.syntax import Expression, Name, Selection
from warehouse.vocabulary import COLUMN_FIELDS, MESSAGE_EVENTS, MONEY_FIELDS

Fields = Mapping[str, Any]


class Selector(msgspec.Struct, frozen=True):
    """A compiled selection of events.

    Args:
        key: the canonical text of the selection; selectors with the same key take the same events.
        names: the event names, None for `any`.
        test: the condition on an event's fields, None for no condition.
        names_currency: whether the condition names the currency: then amounts in foreign ones are read, too.
    """

    key: str
    names: frozenset[str] | None
    test: Reader[Fields] | None = None
    names_currency: bool = False

    def takes(self, name: str) -> bool:
        """Tell whether events of a name may be taken."""
        return name not in MESSAGE_EVENTS if self.names is None else name in self.names


@lru_cache(maxsize=4096)
def compile_selection(selection: Selection) -> Selector:
    """Return a selection compiled, so that its condition costs little for each event."""
    names = None if selection.is_any else frozenset(selection.names)
    condition, is_any_currency = selection.condition, names_currency(selection.condition)
    test = None if condition is None else compile_condition(condition, foreign=is_any_currency)
    return Selector(render_selection(selection), names, test, is_any_currency)


def compile_condition(node: Expression, *, foreign: bool = False) -> Reader[Fields]:
    """Return the reader of a condition on one event's fields.

    Args:
        node: the condition.
        foreign: whether amounts in a foreign currency are read; else they are missing.

    Raises:
        TypeError: the expression has a part that is asked of the visitor.
    """
    if isinstance(node, Name):
        return compile_field(node, foreign=foreign)
    reader = compile_operator(node, partial(compile_condition, foreign=foreign))
    if reader is None:
        raise TypeError(f"{type(node).__name__} cannot be asked of one event; the checker refuses it")
    return reader


def compile_field(name: Name, *, foreign: bool = False) -> Reader[Fields]:
    """Return the reader of one field of an event; an amount in a foreign currency is missing unless asked for."""
    path = field_path(name)
    if len(path) > 1:
        return lambda fields: read_field(fields, path)
    (key,) = path
    return _read_amount(key) if key in MONEY_FIELDS and not foreign else _read_key(key)


def _read_key(key: str) -> Callable[[Fields], str | float | bool | None]:
    if COLUMN_FIELDS.get(key) == "number":
        return lambda fields: as_number(fields.get(key))
    return lambda fields: as_value(fields.get(key))


def _read_amount(key: str) -> Callable[[Fields], str | float | bool | None]:
    return lambda fields: None if fields.get("foreign_currency") else as_number(fields.get(key))

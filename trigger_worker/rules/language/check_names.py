"""Check names: the type of each known field, term and event, and a finding for each unknown one."""

from __future__ import annotations

from typing import Final

from trigger_worker.rules.language import names
from trigger_worker.rules.language.check_operators import Report
from trigger_worker.rules.language.errors import Finding, did_you_mean
from trigger_worker.rules.language.render import render
from trigger_worker.rules.language.syntax import Name, Selection, ValueType
from warehouse.vocabulary import COLUMN_FIELDS, CONTEXT_FIELDS, EVENT_NAMES, PROPERTY_FIELDS

#: The type of every field of an event that the vocabulary knows.
FIELD_TYPES: Final[dict[str, ValueType]] = {
    **COLUMN_FIELDS,
    **PROPERTY_FIELDS,
    names.DURATION_NAME: "duration",
}

#: The type of every plain name that an expression may ask of the visitor.
TERM_TYPES: Final[dict[str, ValueType]] = {
    **dict.fromkeys(CONTEXT_FIELDS, "text"),
    "cart.value": "number",
    "cart.items": "number",
    "local_hour": "number",
    "local_weekday": "number",
    "stage": "text",
    "goal_reached": "boolean",
}

_VISITOR_ONLY: Final = frozenset(TERM_TYPES) - frozenset(CONTEXT_FIELDS)


def field_type(name: Name, report: Report) -> ValueType:
    """Return the type of a field of one event.

    Args:
        name: the field, as it stands in a condition or behind an event.
        report: takes an error about a name that cannot be a field, and a warning about an unknown one.
    """
    first, *rest = name.path
    if first == names.PROPERTIES_PREFIX and rest:
        return FIELD_TYPES.get(rest[0], "unknown") if len(rest) == 1 else "unknown"
    if first == names.TRAITS_PREFIX and rest:
        return "unknown"
    text = render(name)
    if text in _VISITOR_ONLY:
        report(Finding(f"{text} is not a field of an event", name.start, "it is asked of the visitor, in `if`"))
    elif rest or first == names.PROPERTIES_PREFIX:
        hint = f"write {names.PROPERTIES_PREFIX}.{text}" if rest else "write props.NAME"
        report(Finding(f"expected a field, found {text}", name.start, hint))
    elif first not in FIELD_TYPES:
        hint = did_you_mean(first, FIELD_TYPES) or f"props.{first} says that it is a property of your own"
        report(_unknown("field", first, name.start, hint))
    return FIELD_TYPES.get(text, "unknown")


def term_type(name: Name, report: Report) -> ValueType:
    """Return the type of a plain name that an expression asks of the visitor.

    Args:
        name: the name, as it stands in an expression.
        report: takes an error about a name that cannot be asked.
    """
    text = render(name)
    if name.path[0] == names.TRAITS_PREFIX and len(name.path) > 1:
        return "unknown"
    if text in TERM_TYPES:
        return TERM_TYPES[text]
    report(_not_a_term(name, text))
    return "unknown"


def _not_a_term(name: Name, text: str) -> Finding:
    if name.path[0] in FIELD_TYPES or name.path[0] == names.PROPERTIES_PREFIX:
        hint = f"write last(EVENT.{text}), or put the condition behind an event in `when`"
        return Finding(f"{text} is a field of events, not of the visitor", name.start, hint)
    if text in EVENT_NAMES:
        return Finding(f"{text} is an event, not a value", name.start, f"write count({text}, 24h) > 0")
    hint = did_you_mean(text, TERM_TYPES) or "write last(EVENT.FIELD), or traits.NAME"
    return Finding(f"nothing is known of a visitor by the name {text}", name.start, hint)


def check_event_names(selection: Selection, report: Report) -> None:
    """Report a warning about each event name that the vocabulary does not have."""
    for name in selection.names:
        if not selection.is_any and name not in EVENT_NAMES:
            hint = did_you_mean(name, EVENT_NAMES) or "it is taken as an event of your own"
            report(_unknown("event", name, selection.start, hint))


def _unknown(kind: str, name: str, start: int, hint: str) -> Finding:
    return Finding(f"the vocabulary has no {kind} {name}", start, hint, "warning")

"""Work out which events, fields and contexts of a visitor a rule looks at, and how far back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trigger_worker.rules.evaluate.cart import CART_EVENTS, CART_FIELDS
from trigger_worker.rules.evaluate.event import ITEM_KEY
from trigger_worker.rules.language import names
from trigger_worker.rules.language.lookback import LAST_VALUE_LOOKBACK_MS, TRAITS_MS, gap_ms, term_lookback_ms, wait_ms
from trigger_worker.rules.language.syntax import (
    Audience,
    EventTerm,
    Expression,
    Name,
    Selection,
    children,
)
from trigger_worker.rules.model import NO_AUDIENCES, Audiences, Rule


class Needs(msgspec.Struct, frozen=True):
    """The part of a visitor's history that a rule looks at, and the events after which it may match.

    Args:
        lookback_ms: per event name, or `any`, how many ms before the instant its events still matter; an event exactly
            that long before may matter, too.
        fields: the top-level fields of events that are looked at, `items` and `traits` among them.
        contexts: the context fields that are looked at, such as `device`.
        trigger_names: the events of the pattern's last step, `any` possible: a new match comes with one of them, or
            `wait_ms` after it.
        wait_ms: how long (ms) after its last event the pattern matches; 0 without an absence.
    """

    lookback_ms: dict[str, int]
    fields: frozenset[str]
    contexts: frozenset[str]
    trigger_names: frozenset[str] = frozenset()
    wait_ms: int = 0

    @property
    def names(self) -> frozenset[str]:
        """The event names that are looked at, `any` possible."""
        return frozenset(self.lookback_ms)


def needs(rule: Rule, audiences: Audiences) -> Needs:
    """Return the needs of a rule's `when` and `if`, with those of the audiences that they refer to."""
    collector = _Collector(audiences)
    collector.pattern(rule)
    if rule.condition is not None:
        collector.expression(rule.condition)
    last_step = rule.when.steps[-1].selection
    return msgspec.structs.replace(
        collector.needs(),
        trigger_names=frozenset(last_step.names),
        wait_ms=wait_ms(rule.when),
    )


def sending_needs(rule: Rule, audiences: Audiences) -> Needs:
    """Return the needs of the `if` and `unless` of a rule's messages, which are asked when they are sent."""
    collector = _Collector(audiences)
    for message in rule.send:
        for expression in (message.condition, message.unless):
            if expression is not None:
                collector.expression(expression)
    return collector.needs()


def selection_needs(selection: Selection, lookback_ms: int) -> Needs:
    """Return the needs of finding the events of one selection, such as a goal, `lookback_ms` ms back."""
    collector = _Collector(NO_AUDIENCES)
    collector.selection(selection, lookback_ms)
    return collector.needs()


class _Collector:
    """Walks a rule and notes the events, fields and contexts that it looks at."""

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences
        self._lookback_ms: dict[str, int] = {}
        self._fields: set[str] = set()
        self._contexts: set[str] = set()

    def needs(self) -> Needs:
        return Needs(self._lookback_ms, frozenset(self._fields), frozenset(self._contexts))

    def pattern(self, rule: Rule) -> None:
        lookback_ms = wait_ms(rule.when)
        if rule.when.absence is not None:
            self.selection(rule.when.absence.selection, lookback_ms)
        for step in reversed(rule.when.steps):
            self.selection(step.selection, lookback_ms)
            lookback_ms += gap_ms(step)
        if rule.key is not None:
            self._fields.update({rule.key[0]} | ({"items"} if rule.key == ITEM_KEY else set()))

    def expression(self, node: Expression) -> None:
        if isinstance(node, EventTerm):
            self.selection(node.selection, term_lookback_ms(node))
            if node.field is not None:
                self._fields.add(names.field_path(node.field)[0])
        match node:
            case Audience(kind=kind, name=name):
                known = self._audiences.scores if kind == "score" else self._audiences.segments
                self.expression(known[name])
            case Name():
                self._name(node)
        for child in children(node):
            self.expression(child)

    def _name(self, node: Name) -> None:
        if node.path in {names.CART_VALUE, names.CART_ITEMS}:
            self._events(CART_EVENTS, LAST_VALUE_LOOKBACK_MS)
            self._fields |= CART_FIELDS if node.path == names.CART_VALUE else {"quantity", "items"}
        elif node.path[0] == names.TRAITS_PREFIX:
            self._events(("identify",), TRAITS_MS)
            self._fields.update({names.TRAITS_PREFIX, names.TRAITS_ONCE})
        elif node.path in {names.LOCAL_HOUR, names.LOCAL_WEEKDAY}:
            self._contexts.add("timezone")
        elif node.path == names.STAGE:
            for stage in self._audiences.stages.values():
                self.expression(stage)
        elif node.path != names.GOAL_REACHED:
            self._contexts.add(node.path[0])

    def selection(self, selection: Selection, lookback_ms: int) -> None:
        self._events(selection.names, lookback_ms)
        if selection.condition is not None:
            self._condition(selection.condition)

    def _condition(self, node: Expression) -> None:
        if isinstance(node, Name):
            self._fields.add(names.field_path(node)[0])
        for child in children(node):
            self._condition(child)

    def _events(self, event_names: Iterable[str], lookback_ms: int) -> None:
        for name in event_names:
            self._lookback_ms[name] = max(lookback_ms, self._lookback_ms.get(name, 0))

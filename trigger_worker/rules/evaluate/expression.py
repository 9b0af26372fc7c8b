"""Compile expressions to functions from a moment to a value, and explain that value part by part."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.calendar import local_time
from trigger_worker.rules.evaluate.cart import cart_pieces, cart_value
from trigger_worker.rules.evaluate.event import Value
from trigger_worker.rules.evaluate.history import Moment
from trigger_worker.rules.evaluate.operators import Reader, compile_operator
from trigger_worker.rules.evaluate.terms import Term, compile_fact, compile_term
from trigger_worker.rules.language import names
from trigger_worker.rules.language.render import render
from trigger_worker.rules.language.syntax import (
    Audience,
    EventTerm,
    Expression,
    MessageFact,
    Name,
    children,
)
from trigger_worker.rules.model import Audiences
from warehouse.errors import RuleError

#: Scores are clamped to 0 and this number.
HIGHEST_SCORE: Final = 10.0


class Explanation(msgspec.Struct, frozen=True):
    """The value of a part of an expression, with the values of its own parts.

    Args:
        text: the part, in its canonical spelling.
        value: the value, None when missing; durations are ms.
        children: the parts from which the value was made.
    """

    text: str
    value: Value
    children: tuple[Explanation, ...] = ()


class ExpressionCompiler:
    """Compiles expressions that may refer to audiences; each audience is compiled once.

    Args:
        audiences: the audiences, checked, so free of circles.
    """

    def __init__(self, audiences: Audiences) -> None:
        self.audiences = audiences
        self._compiled: dict[tuple[str, str], Term] = {}

    def compile(self, node: Expression) -> Term:
        """Return a function from a moment to the expression's value.

        Raises:
            RuleError: the expression refers to an audience that does not exist.
        """
        if isinstance(node, EventTerm | MessageFact):
            return compile_term(node)
        match node:
            case Name():
                return self._name(node)
            case Audience():
                return self._audience(node)
        operator: Reader[Moment] | None = compile_operator(node, self.compile)
        if operator is None:
            raise TypeError(f"{type(node).__name__} is not part of an expression")
        return operator

    def explain(self, node: Expression, moment: Moment) -> Explanation:
        """Return the value of an expression and of each of its parts, by the same definition."""
        parts = tuple(self.explain(child, moment) for child in self._parts(node))
        return Explanation(render(node), self.compile(node)(moment), parts)

    def _parts(self, node: Expression) -> tuple[Expression, ...]:
        if isinstance(node, Audience):
            return (self._definition(node),)
        return tuple(children(node))

    def _name(self, node: Name) -> Term:
        if node.path == names.STAGE:
            return self._stage()
        computed = _COMPUTED.get(node.path)
        if computed is not None:
            return computed
        if node.path[0] == names.TRAITS_PREFIX:
            path = node.path[1:]
            return lambda moment: moment.history.trait(path).at(moment.at)
        field = node.path[0]
        return lambda moment: moment.history.context(field).at(moment.at)

    def _audience(self, node: Audience) -> Term:
        key = (node.kind, node.name)
        if key not in self._compiled:
            definition = self.compile(self._definition(node))
            self._compiled[key] = _clamped(definition) if node.kind == "score" else definition
        return self._compiled[key]

    def _definition(self, node: Audience) -> Expression:
        known = self.audiences.scores if node.kind == "score" else self.audiences.segments
        if node.name not in known:
            raise RuleError(f'there is no {node.kind} "{node.name}"', "define it in audiences.yaml")
        return known[node.name]

    def _stage(self) -> Term:
        stages = [(name, self.compile(node)) for name, node in self.audiences.stages.items()]

        def stage(moment: Moment) -> Value:
            return next((name for name, is_at in stages if is_at(moment) is True), None)

        return stage


def _clamped(score: Term) -> Term:
    def clamped(moment: Moment) -> Value:
        value = score(moment)
        return min(max(value, 0.0), HIGHEST_SCORE) if type(value) is float else None

    return clamped


def _clock(moment: Moment) -> datetime:
    return local_time(moment.at, moment.history.context("timezone").at(moment.at))


_COMPUTED: Final[dict[tuple[str, ...], Term]] = {
    names.CART_VALUE: cart_value,
    names.CART_ITEMS: cart_pieces,
    names.GOAL_REACHED: compile_fact("goal_reached"),
    names.LOCAL_HOUR: lambda moment: float(_clock(moment).hour),
    names.LOCAL_WEEKDAY: lambda moment: float(_clock(moment).isoweekday()),
}

"""Random rules and histories, crowded onto few instants so that boundaries and ties are common."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.trigger_worker.rules.evaluate.reference import (
    DAY,
    Calculation,
    Compare,
    Condition,
    Logic,
    Milliseconds,
    Operand,
    Plain,
    Record,
    Rule,
    Term,
    Which,
)

#: The distance between instants: in one scale windows of minutes meet, in the other those of 30 and 400 days.
UNITS = (30_000, 10 * DAY)
INSTANTS = 45

EVENT_NAMES = (
    *("view_item", "view_item", "add_to_cart", "add_to_cart", "purchase", "purchase", "refund"),
    *("remove_from_cart", "identify", "message_shown", "own_event"),
)
COMPARE = ("==", "!=", "<", "<=", ">", ">=")

FIELD_VALUES: dict[str, tuple[Any, ...]] = {
    "price": (5, 10, 10, 20, 20.5, "10", True),
    "value": (5, 10, 20),
    "quantity": (1, 2, "2"),
    "product_id": ("a", "a", "b", ""),
    "currency": ("EUR", "USD"),
    "foreign_currency": ("", "", "USD"),
    "order_id": ("1001", "1001", "1002", ""),
    "path": ("/pricing", "/pricing/plans", "/p/1"),
    "device": ("mobile", "desktop"),
    "duration_ms": (1000, 3000, 5000),
    "colour": ("red", 5, True, False),
    "items": ([], [{"product_id": "a"}], [{"product_id": "b"}, {"product_id": "c"}], [{}]),
    "traits": ({}, {"plan": "free"}, {"plan": "pro"}, {"plan": 3}),
}

CONDITIONS: tuple[Condition, ...] = (
    *(Compare("price", operator, 10) for operator in COMPARE),
    Compare("product_id", "==", "a"),
    Compare("currency", "==", "USD"),
    Compare("value", ">=", 10),
    Logic("and", (Compare("currency", "!=", "EUR"), Compare("price", ">", 5))),
    Compare("product_id", "!=", "a"),
    Compare("path", "~", "/pricing*"),
    Compare("path", "~", "/p/?"),
    Compare("duration", ">=", Milliseconds(3000)),
    Compare("device", "in", ("mobile", "tablet")),
    Compare("props.colour", "==", "red"),
    Compare("colour", "!=", literal=True),
    Compare("colour", "!=", 5),
)


class Generator:
    """Makes one case; all of its durations are multiples of one unit."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.unit = random.choice(UNITS)

    def events(self) -> list[Record]:
        made = [self._event() for _ in range(self.random.randrange(20))]
        sent_again = [event for event in made if self._chance(0.1)]
        return made + sent_again

    def rule(self) -> Rule:
        following = range(self.random.choice([0, 1, 1, 2]))
        return Rule(
            steps=((self._which(), 0), *((self._which(), self._gap()) for _ in following)),
            absence=(self._which(), self.span()) if self._chance(0.4) else None,
            condition=self._expression() if self._chance(0.5) else None,
            every=self._gap(),
            key=self.random.choice(["", "", "product_id", "device"]),
        )

    def term(self) -> Operand:
        """A term of any type."""
        return self.random.choice(
            [
                self._number(2),
                Term("since", self._which()),
                Term(self.random.choice(["first", "last"]), self._which(), "product_id"),
                Plain(self.random.choice(["device", "traits.plan"])),
            ]
        )

    def span(self) -> int:
        return self.random.randint(1, 12) * self.unit

    def instant(self) -> int:
        return self.random.randrange(INSTANTS) * self.unit

    def _gap(self) -> int:
        return self.random.choice([0, self.span()])

    def _event(self) -> Record:
        return {
            "name": self.random.choice(EVENT_NAMES),
            "ts": self.instant(),
            "id": f"{self.random.randrange(100):02}",
            "fields": {name: self.random.choice(values) for name, values in FIELD_VALUES.items() if self._chance(0.6)},
        }

    def _which(self) -> Which:
        names: tuple[str, ...] = ("any",)
        # Where windows are long, `any` is refused for its cost.
        if self.unit > DAY or self._chance(0.8):
            names = tuple({self.random.choice(EVENT_NAMES) for _ in range(self.random.choice([1, 2, 2]))})
        return Which(names, self.condition() if self._chance(0.2) else None)

    def _recent(self) -> Which:
        """Without a condition `since` looks back too far for `any`."""
        which = self._which()
        return which if which.names != ("any",) else Which(which.names, which.condition or self.condition())

    def condition(self, depth: int = 2) -> Condition:
        return self._logic(self.condition, depth) or self.random.choice(CONDITIONS)

    def _expression(self, depth: int = 2) -> Condition:
        return self._logic(self._expression, depth) or self.random.choice(
            [
                Compare(self._number(1), self.random.choice(COMPARE), self.random.choice([0, 1, 2, 10])),
                Compare(Term("since", self._recent()), self.random.choice(COMPARE), Milliseconds(self.span())),
                Compare(Plain("device"), self.random.choice(["==", "!="]), "mobile"),
                Compare(Plain("traits.plan"), "in", ("pro", "team")),
            ]
        )

    def _logic(self, part: Callable[[int], Condition], depth: int) -> Logic | None:
        if depth == 0 or self._chance(0.6):
            return None
        if self._chance(0.5):
            return Logic("not", (part(depth - 1),))
        return Logic(self.random.choice(["and", "or"]), (part(depth - 1), part(depth - 1)))

    def _number(self, depth: int) -> Operand:
        if depth and self._chance(0.4):
            operator = self.random.choice(["+", "-", "*", "/", "min", "max"])
            return Calculation(operator, self._number(depth - 1), self._number(depth - 1))
        aggregate = self.random.choice(["sum", "avg", "min", "max", "uniq"])
        terms: list[Operand] = [
            Term("count", self._which(), window=self.span()),
            Term(aggregate, self._which(), "price", self.span()),
            Term(self.random.choice(["first", "last"]), self._which(), "price"),
            Plain(self.random.choice(["cart.value", "cart.items"])),
            self.random.choice([0, 1, 2, 10]),
        ]
        return self.random.choice(terms)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

"""A second evaluator of the rule language, written from its description alone and as naively as it reads.

It knows nothing of the engine: rules are small structures of its own, which it can also write as text.
Events are dictionaries with `name`, `ts`, `id` and `fields`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

Record = Mapping[str, Any]

Value = str | float | bool | None

DAY = 86_400_000
MESSAGE_NAMES = {
    "message_sent",
    "message_shown",
    "message_clicked",
    "message_dismissed",
    "email_opened",
    "email_clicked",
    "email_bounced",
    "email_complained",
    "unsubscribed",
    "push_unsubscribed",
    "message_failed",
    "message_retried",
}


@dataclass(frozen=True)
class Compare:
    """A field or a term against a literal; `~` and `in` included."""

    left: Operand | str
    operator: str
    literal: Literal

    def text(self) -> str:
        return f"{operand_text(self.left)} {self.operator} {literal_text(self.literal)}"


@dataclass(frozen=True)
class Logic:
    """`and`, `or` and `not` of conditions."""

    operator: str
    parts: tuple[Condition, ...]

    def text(self) -> str:
        if self.operator == "not":
            return f"not ({self.parts[0].text()})"
        return "(" + f" {self.operator} ".join(part.text() for part in self.parts) + ")"


@dataclass(frozen=True)
class Milliseconds:
    """A duration literal."""

    ms: int

    def text(self) -> str:
        return f"{self.ms}ms"


@dataclass(frozen=True)
class Which:
    """Events by names and condition; `any` has the one name any."""

    names: tuple[str, ...]
    condition: Condition | None = None

    def text(self) -> str:
        names = self.names[0] if len(self.names) == 1 else f"({' or '.join(self.names)})"
        return names if self.condition is None else f"{names}[{self.condition.text()}]"


@dataclass(frozen=True)
class Term:
    """A term over events, such as count, sum or since."""

    function: str
    which: Which
    field: str = ""
    window: int = 0

    def text(self) -> str:
        argument = self.which.text() + (f".{self.field}" if self.field else "")
        window = f", {self.window}ms" if self.window else ""
        return f"{self.function}({argument}{window})"


@dataclass(frozen=True)
class Plain:
    """A term that is a name: cart.value, cart.items, device, traits.plan."""

    name: str

    def text(self) -> str:
        return self.name


@dataclass(frozen=True)
class Calculation:
    """Arithmetic, and min or max of two numbers."""

    operator: str
    left: Operand
    right: Operand

    def text(self) -> str:
        left, right = operand_text(self.left), operand_text(self.right)
        if self.operator in {"min", "max"}:
            return f"{self.operator}({left}, {right})"
        return f"({left} {self.operator} {right})"


@dataclass(frozen=True)
class Rule:
    """A rule: steps with their `within` in milliseconds (0 for none), and what may not follow."""

    steps: tuple[tuple[Which, int], ...]
    absence: tuple[Which, int] | None = None
    condition: Condition | None = None
    every: int = DAY
    key: str = ""

    def when(self) -> str:
        steps = [which.text() + (f" within {within}ms" if within else "") for which, within in self.steps]
        if self.absence is not None:
            steps.append(f"no {self.absence[0].text()} within {self.absence[1]}ms")
        return " -> ".join(steps)


Condition = Compare | Logic
Operand = Term | Plain | Calculation | int | float
Scalar = str | int | float | bool | Milliseconds
Literal = Scalar | tuple[Scalar, ...]


def literal_text(literal: Literal) -> str:
    if isinstance(literal, Milliseconds):
        return literal.text()
    if isinstance(literal, tuple):
        return "[" + ", ".join(literal_text(each) for each in literal) + "]"
    if isinstance(literal, bool):
        return "true" if literal else "false"
    return f'"{literal}"' if isinstance(literal, str) else str(literal)


def operand_text(operand: Operand | str) -> str:
    return str(operand) if isinstance(operand, int | float | str) else str(operand.text())


def in_order(events: Sequence[Record]) -> list[Record]:
    """Ordered by (ts, event_id as text), each event_id counted once, and each order."""
    first: dict[str, Record] = {}
    for event in sorted(events, key=lambda each: (each["ts"], each["id"])):
        first.setdefault(event["id"], event)
    counted: list[Record] = []
    for event in sorted(first.values(), key=lambda each: (each["ts"], each["id"])):
        order = event["fields"].get("order_id", "")
        told = [each["fields"].get("order_id", "") for each in counted if each["name"] == "purchase"]
        if event["name"] != "purchase" or order == "" or order not in told:
            counted.append(event)
    return counted


def kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Milliseconds):
        return "number"
    return "text" if isinstance(value, str) else "missing"


def holds(left: Value, operator: str, literal: Literal) -> bool:
    """A missing or mismatched side makes any comparison false."""
    if isinstance(literal, tuple):
        return any(holds(left, "==", each) for each in literal)
    if kind(left) == "missing" or kind(left) != kind(literal):
        return False
    right = literal.ms if isinstance(literal, Milliseconds) else literal
    if operator == "~":
        return fnmatch.fnmatchcase(str(left), str(right))
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    return tests[operator](left, right)


def truth(node: Condition, read: Callable[[Any], Value]) -> bool:
    if isinstance(node, Compare):
        return holds(read(node.left), node.operator, node.literal)
    if node.operator == "not":
        return not truth(node.parts[0], read)
    results = [truth(part, read) for part in node.parts]
    return all(results) if node.operator == "and" else any(results)


def asks_currency(node: Condition | None) -> bool:
    if isinstance(node, Logic):
        return any(asks_currency(part) for part in node.parts)
    return isinstance(node, Compare) and node.left == "currency"


def amount(event: Record, field: str, which: Which) -> Any:
    """A field of an event; foreign money is missing for whoever does not name the currency."""
    is_foreign = field in {"value", "price"} and event["fields"].get("foreign_currency")
    return None if is_foreign and not asks_currency(which.condition) else event["fields"].get(field)


def fits(event: Record, which: Which) -> bool:
    if which.names == ("any",):
        if event["name"] in MESSAGE_NAMES:
            return False
    elif event["name"] not in which.names:
        return False

    def read(field: str) -> Any:
        path = field.removeprefix("props.")
        return amount(event, "duration_ms" if path == "duration" else path, which)

    return which.condition is None or truth(which.condition, read)


def splits(events: Sequence[Record], key: str) -> dict[str, list[Record]]:
    if not key:
        return {"": list(events)}
    found: dict[str, list[Record]] = {}
    for event in events:
        values = {event["fields"].get(key)}
        if key == "product_id":
            values |= {item.get("product_id") for item in event["fields"].get("items", [])}
        for value in values:
            if isinstance(value, str) and value:
                found.setdefault(value, []).append(event)
    return found


def ends_chain(events: Sequence[Record], rule: Rule, step: int, place: int) -> bool:
    which, within = rule.steps[step]
    if not fits(events[place], which):
        return False
    if step == 0:
        return True
    limit = within or 30 * DAY
    return any(
        events[place]["ts"] - events[before]["ts"] <= limit and ends_chain(events, rule, step - 1, before)
        for before in range(place)
    )


def matches_in(events: Sequence[Record], rule: Rule) -> list[tuple[int, str]]:
    """Instant and completing event of every match in one split."""
    last = len(rule.steps) - 1
    completions = [place for place in range(len(events)) if ends_chain(events, rule, last, place)]
    if rule.absence is None:
        return [(events[place]["ts"], events[place]["id"]) for place in completions]
    which, wait = rule.absence
    found = []
    for place in completions:
        c = events[place]["ts"]
        is_superseded = any(
            (later > place and events[later]["ts"] == c) or c < events[later]["ts"] <= c + wait for later in completions
        )
        is_disturbed = any(event["ts"] <= c + wait and fits(event, which) for event in events[place + 1 :])
        if not is_superseded and not is_disturbed:
            found.append((c + wait, events[place]["id"]))
    return found


def matches(events: Sequence[Record], rule: Rule) -> list[tuple[str, int, str]]:
    """Key, instant and completing event of every match."""
    return [
        (key, at, event_id)
        for key, split in splits(in_order(events), rule.key).items()
        for at, event_id in matches_in(split, rule)
    ]


def firings(events: Sequence[Record], rule: Rule) -> set[tuple[str, int]]:
    """Key and instant of every firing."""
    fired: set[tuple[str, int]] = set()
    for key, at, _ in sorted(matches(events, rule), key=lambda match: match[1]):
        is_true = rule.condition is None or truth(rule.condition, partial(value, events=events, at=at))
        recent = [before for other, before in fired if other == key and at - before < rule.every]
        if is_true and not recent:
            fired.add((key, at))
    return fired


def value(node: Operand, events: Sequence[Record], at: int) -> Value:
    """The value of a term at an instant, None when it is missing."""
    seen = [event for event in in_order(events) if event["ts"] <= at]
    if isinstance(node, int | float):
        return node
    if isinstance(node, Plain):
        return plain(node.name, seen, at)
    if isinstance(node, Term):
        return term(node, seen, at)
    left, right = value(node.left, events, at), value(node.right, events, at)
    if kind(left) != "number" or kind(right) != "number" or (node.operator == "/" and right == 0):
        return None
    operations: dict[str, Callable[[Any, Any], Any]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "min": min,
        "max": max,
    }
    result: float = operations[node.operator](left, right)
    return result


def plain(name: str, seen: Sequence[Record], at: int) -> Value:
    if name in {"cart.value", "cart.items"}:
        changes = [event for event in seen if event["name"] in {"add_to_cart", "remove_from_cart", "purchase"}]
        recent = [event for event in changes if event["ts"] > at - 30 * DAY]
        return cart(name, recent, changes[: len(changes) - len(recent)])
    if name.startswith("traits."):
        trait = name.removeprefix("traits.")
        said: list[Value] = [
            event["fields"]["traits"][trait]
            for event in seen
            if event["name"] == "identify" and trait in event["fields"].get("traits", {})
        ]
        return said[-1] if said else None
    known: list[Value] = [event["fields"][name] for event in seen if event["fields"].get(name)]
    return known[-1] if known else None


def cart(name: str, recent: Sequence[Record], before: Sequence[Record] = ()) -> float:
    """What was added less what was removed since the last purchase, and never less than nothing on the way."""
    total: float = 0
    prices: dict[object, float] = {}
    for event in (*before, *recent):
        worth, pieces = told(event["fields"], prices)
        amount = worth if name == "cart.value" else pieces
        if event["name"] == "purchase":
            total = 0
        elif event in recent and event["name"] == "add_to_cart":
            total = max(0, total + amount)
        elif event in recent and event["name"] == "remove_from_cart":
            total = max(0, total - abs(amount))
    return total


def told(fields: Mapping[str, Any], prices: dict[object, float]) -> tuple[float, float]:
    """What an event is worth, and of how many pieces it is; prices of products are those told so far."""
    is_foreign = bool(fields.get("foreign_currency"))
    items = fields.get("items")
    lines = items if items and isinstance(items, list) else [fields]
    worth, pieces = 0.0, 0.0
    for line in lines:
        price, quantity = number(line.get("price")), number(line.get("quantity"))
        quantity = 1 if quantity is None else quantity
        if line.get("product_id") and price is not None and not is_foreign:
            prices[line["product_id"]] = price
        worth += (prices.get(line.get("product_id"), 0) if price is None else price) * quantity
        pieces += quantity
    value, count = 0 if is_foreign else number(fields.get("value")), number(fields.get("quantity"))
    return worth if value is None else value, pieces if count is None else count


def number(raw: object) -> float | None:
    """A number, or a text that is plainly one."""
    if isinstance(raw, str) and raw.strip().lstrip("-").replace(".", "", 1).isdecimal():
        return float(raw)
    return None if isinstance(raw, bool) or not isinstance(raw, int | float) else raw


def term(node: Term, seen: Sequence[Record], at: int) -> Value:
    longest = 400 * DAY if node.function == "since" and node.which.condition is None else 30 * DAY
    window = node.window or longest
    chosen = [event for event in seen if at - window < event["ts"] and fits(event, node.which)]
    if node.function == "count":
        return len(chosen)
    if node.function in {"since", "first", "last"}:
        return edge(node, chosen, at)
    values = [amount(event, node.field, node.which) for event in chosen]
    if node.function == "uniq":
        return len({(kind(each), each) for each in values if kind(each) != "missing"})
    return aggregate(node.function, [each for each in values if kind(each) == "number"])


def edge(node: Term, chosen: Sequence[Record], at: int) -> Value:
    if not chosen:
        return None
    event = chosen[0] if node.function == "first" else chosen[-1]
    found: Value = at - event["ts"] if node.function == "since" else amount(event, node.field, node.which)
    return found


def aggregate(function: str, numbers: Sequence[float]) -> Value:
    if function == "sum":
        return sum(numbers)
    if not numbers:
        return None
    return {"avg": sum(numbers) / len(numbers), "min": min(numbers), "max": max(numbers)}[function]

"""Benchmark of evaluation alone: 40 rules over a million events of 2,500 visitors."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Final

from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, compile_rules
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.files.audiences import names_of, read_audiences
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.rules.model import Rule

VISITORS: Final = 2_500
EVENTS_PER_VISITOR: Final = 400
HISTORY_MS: Final = 60 * DAY_MS

AUDIENCES: Final = """
segments:
  high_intent: count(view_item, 24h) >= 4 or since(add_to_cart) <= 24h
stages:
  churned: since(purchase) > 90d
  at_risk: since(purchase) > 45d and count(session_start, 30d) == 0
  loyal: count(purchase, 365d) >= 5
  customer: count(purchase, 365d) >= 1
  visitor: true
scores:
  engagement: 4 * min(1, count(email_clicked, 90d) / 3) + 3.5 * min(1, count(session_start, 30d) / 8)
"""

#: The pattern and the condition of ten rules, of which four variants each make forty.
RULES: Final = (
    ("view_item[price > {n}0] -> add_to_cart within 2h -> no purchase within 24h", "true"),
    ("hover[duration >= {n}s and price > 100]", "count(add_to_cart, 1d) == 0"),
    ("add_to_cart", "count(add_to_cart, {n}0m) > 3 and cart.value >= 50"),
    ('dwell[duration >= {n}m and page_type == "product"]', "count(scroll, 3m) == 0"),
    ("search -> no (select_item or view_item) within {n}0m", 'device == "mobile"'),
    ('page_view[path ~ "/p/{n}*"]', 'count(page_view[path ~ "/p/{n}*"], 7d) >= 2'),
    ("any -> no any within {n}d", 'stage == "visitor" or score("engagement") > 3'),
    ("session_start -> no purchase within {n}d", 'segment("high_intent") and local_hour < 20'),
    ("email_opened -> no email_clicked within {n}h", "uniq(view_item.product_id, 7d) >= 2"),
    ("view_item -> no purchase within {n}h", "sum(purchase.value, 30d) < 100 and since(purchase) > 1d"),
)

NAMES: Final = (
    ("page_view", 20),
    ("view_item", 15),
    ("hover", 15),
    ("dwell", 12),
    ("scroll", 15),
    ("add_to_cart", 5),
    ("remove_from_cart", 1),
    ("purchase", 2),
    ("search", 4),
    ("select_item", 4),
    ("session_start", 4),
    ("email_opened", 2),
    ("email_clicked", 1),
)


def measure() -> list[str]:
    """Return a line with the seconds to build the histories and to evaluate the rules."""
    compiled = _rules()
    choose = random.Random(7)
    reading = evaluating = 0.0
    fired = 0
    for _ in range(VISITORS):
        events = list(_events(choose))
        start = time.perf_counter()
        history = History(events)
        read = time.perf_counter()
        fired += sum(len(each.firings(history, 0, HISTORY_MS, {})) for each in compiled)
        evaluating += time.perf_counter() - read
        reading += read - start
    total = VISITORS * EVENTS_PER_VISITOR
    figures = f"histories {reading:.1f} s, rules {evaluating:.1f} s, {fired:,} firings"
    return [f"evaluate: {len(compiled)} rules over {total:,} events: {figures}"]


def _rules() -> list[CompiledRule]:
    audiences = read_audiences(AUDIENCES, "audiences.yaml").audiences
    rules: list[Rule] = []
    for number, (when, condition) in enumerate(RULES):
        for variant in range(1, 5):
            key = "key: product_id" if number == 9 else ""
            text = f"id: r{number}_{variant}\nwhen: '{when}'\nif: '{condition}'\n{key}\n".replace("{n}", str(variant))
            reading = read_rule(text, "bench.yaml", names_of(audiences))
            if reading.rule is None:
                raise SystemExit("\n".join(map(str, reading.problems)))
            rules.append(reading.rule)
    return compile_rules(rules, audiences)


def _events(choose: random.Random) -> Iterator[Event]:
    names, weights = [name for name, _ in NAMES], [weight for _, weight in NAMES]
    for name in choose.choices(names, weights, k=EVENTS_PER_VISITOR):
        product = choose.randrange(60)
        fields = {
            "product_id": f"p{product}",
            "price": float(product * 5),
            "value": float(product * 5),
            "path": f"/p/{product}",
            "page_type": choose.choice(["product", "home"]),
            "duration_ms": choose.choice([1000, 3000, 5000, 60_000, 180_000]),
            "device": choose.choice(["mobile", "desktop"]),
            "timezone": "Europe/Berlin",
        }
        yield Event(name, choose.randrange(HISTORY_MS), f"{choose.getrandbits(64):016x}", fields)

"""From a 200 to the banner at the client's socket, under an open load; processor per event by rules and by history."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from bench.figures import percentile
from bench.live.checkout import Checkout, Workshop
from bench.live.outcome import Outcome
from bench.live.product import Product
from bench.live.report import Figure
from bench.live.traffic import SHOP_MIX, Load, Phase, Traffic
from bench.live.usage import Spent, Usage, read_usage, spent
from bench.live.visitors import Kind
from bench.shop import EVENTS_PER_VISITOR

#: Events a second, and for how many seconds.
LOADS: Final = ((1_000, 60.0), (3_000, 60.0), (50, 120.0))
#: Of a second of 1,000 events: pages that are opened with a stream (50 events a page), and known visitors' probes.
PAGES_SHARE: Final = 0.02
PROBES_SHARE: Final = 0.03
#: At a low rate there are more of them, or there would be too few samples for a p99.
LEAST_PAGES: Final = 3.0
LEAST_PROBES: Final = 5.0
#: Rules that are compared, stored events that are compared, and for how many seconds.
RULES: Final = (10, 1_000)
STORED: Final = (100_000, 10_000_000)
COMPARED_SECONDS: Final = 30.0
COMPARED_RATE: Final = 1_000


@dataclass(frozen=True)
class Measured:
    """One load on one product, and what it cost."""

    outcome: Outcome
    spent: Spent

    @property
    def event_us(self) -> float:
        """Return the product's processor time for each acknowledged event, in us."""
        return self.spent.product_seconds / max(1, self.outcome.events) * 1e6


def measure_latency(checkout: Checkout, workshop: Workshop, rate: int, seconds: float) -> list[Figure]:
    """Return how long banners and replies take at a rate of events, and what the product uses meanwhile."""
    with workshop.shop(checkout) as product:
        measured = run_load(product, shop_load(workshop, rate, workshop.seconds or seconds, workshop.stored))
    outcome = measured.outcome
    name = f"{rate}/s: "
    figures = _percentiles(f"{name}acknowledged -> banner", outcome.banner_ms())
    for kind in Kind:
        figures += _percentiles(f"{name}acknowledged -> banner, {kind.value}", outcome.banner_ms(kind))
    figures += _percentiles(f"{name}due -> acknowledged", outcome.acknowledge_ms)
    figures.append(Figure(f"{name}processor of the product per event", measured.event_us, "us"))
    return figures + _circumstances(name, measured)


def measure_rules(checkout: Checkout, workshop: Workshop) -> list[Figure]:
    """Return the processor per event with few and with many rules, and their ratio."""
    figures = []
    for rules in RULES:
        with workshop.shop(checkout, rules=rules) as product:
            measured = run_load(product, _compared_load(workshop))
        figures.append(Figure(f"{rules} rules: processor of the product per event", measured.event_us, "us"))
        figures += _circumstances(f"{rules} rules: ", measured)
    few, many = (figure.value for figure in figures if figure.unit == "us")
    return [Figure(f"{RULES[1]} rules over {RULES[0]}: processor per event", many / few, "x"), *figures]


def measure_stored(checkout: Checkout, workshop: Workshop) -> list[Figure]:
    """Return what known visitors cost and wait with little and with much stored, and the ratios."""
    little, much = (_known_visitors(checkout, workshop, stored) for stored in STORED)
    values = {_what(figure): figure.value for figure in little}
    ratios = [
        Figure(f"{STORED[1]:,} stored over {STORED[0]:,}, {_what(figure)}", figure.value / values[_what(figure)], "x")
        for figure in much
        if figure.compared and 0 < values.get(_what(figure), 0) < math.inf
    ]
    return [*ratios, *little, *much]


def shop_load(workshop: Workshop, rate: int, seconds: float, stored: int) -> Load:
    """Return the load of a shop at a rate of events."""
    pages, probes = max(LEAST_PAGES, rate * PAGES_SHARE), max(LEAST_PROBES, rate * PROBES_SHARE)
    phases = [Phase(seconds=length, pages=pages, probes=probes) for length in (workshop.warm_up, seconds)]
    return Load(rate=rate, warm_up=phases[0], measured=phases[1], stored_visitors=stored // EVENTS_PER_VISITOR)


def run_load(product: Product, load: Load) -> Measured:
    """Send a load to a product."""
    readings: list[Usage] = []
    read = lambda: readings.append(read_usage(product.session))  # noqa: E731 - twice the same
    outcome = Traffic(product.port, load).run(begin=read, end=read)
    return Measured(outcome, spent(readings[0], readings[1]))


def _compared_load(workshop: Workshop) -> Load:
    rate, seconds = workshop.rate or COMPARED_RATE, workshop.seconds or COMPARED_SECONDS
    return shop_load(workshop, rate, seconds, workshop.stored)


def _known_visitors(checkout: Checkout, workshop: Workshop, stored: int) -> list[Figure]:
    """Return what known visitors cost and wait with so many events stored."""
    with workshop.shop(checkout, stored=stored) as product:
        measured = run_load(product, _known_load(workshop, stored))
    name = f"{stored:,} stored, known visitors: "
    return [
        Figure(f"{name}processor of the product per event", measured.event_us, "us"),
        *_percentiles(f"{name}acknowledged -> banner", measured.outcome.banner_ms(Kind.KNOWN)),
        *_circumstances(name, measured),
    ]


def _what(figure: Figure) -> str:
    """Return the name of a figure without how much is stored."""
    return figure.name.partition(" stored, ")[2]


def _known_load(workshop: Workshop, stored: int) -> Load:
    """Return a load whose warm-up brings visitors with a stored history, and which is theirs alone from then on."""
    load, rate = _compared_load(workshop), workshop.rate or COMPARED_RATE
    pages = max(LEAST_PAGES, rate * PAGES_SHARE)
    returning = {Kind.KNOWN: 1 - SHOP_MIX[Kind.RETURNING], Kind.RETURNING: SHOP_MIX[Kind.RETURNING]}
    return Load(
        rate=rate,
        warm_up=Phase(seconds=2 * workshop.warm_up, mix=returning, pages=pages, probes=0),
        measured=Phase(seconds=load.measured.seconds, mix={Kind.KNOWN: 1.0}, pages=0, probes=2 * load.measured.probes),
        stored_visitors=stored // EVENTS_PER_VISITOR,
        page_seconds=math.inf,
    )


def _percentiles(name: str, samples: list[float]) -> list[Figure]:
    if not samples:
        return []
    return [
        *(Figure(f"{name}, p{share * 100:g}", percentile(samples, share), "ms") for share in (0.5, 0.99)),
        Figure(f"{name}: samples", len(samples), "", compared=False),
    ]


def _circumstances(name: str, measured: Measured) -> list[Figure]:
    """Return what tells whether a run is to be believed."""
    outcome, used = measured.outcome, measured.spent
    lost = sum(math.isinf(sample) for sample in outcome.banner_ms())
    said = [
        ("banners that never came", lost, ""),
        ("requests unanswered or refused", outcome.unanswered + sum(outcome.refused.values()), ""),
        ("pages that opened a stream", outcome.pages, ""),
        ("due -> banner, last quarter's median over the second's", outcome.growth(), "x"),
        ("requests sent late by the generator, p99", percentile(outcome.late_ms, 0.99), "ms"),
        ("product", used.product_cores, "cores"),
        ("load generator", used.generator_cores, "cores"),
        ("everything else on the machine", used.other_cores, "cores"),
    ]
    return [Figure(f"{name}{what}", value, unit, compared=False) for what, value, unit in said]

"""How much the collector takes: durable events, page views that open a stream, and streams that stay open."""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from pathlib import Path
from typing import Final

from bench.figures import percentile
from bench.live.checkout import Checkout, Workshop
from bench.live.product import Product, running, write_shop
from bench.live.report import Figure
from bench.live.saturation import Saturation, batches, introduce, new_visitors
from bench.live.traffic import undisturbed
from bench.live.usage import Spent, anonymous_bytes, read_usage, spent
from bench.live.wire import Stream, Wire
from bench.shop import EVENTS_PER_VISITOR
from e2e.ports import free_ports
from e2e.redis import running_redis
from tests.listener.process import running_listener

INTAKE_SECONDS: Final = 20.0
EVENTS_PER_REQUEST: Final = 10
INTAKE_CONNECTIONS: Final = 64
INTAKE_VISITORS: Final = 1_000
INTAKE_RULES: Final = 10
#: Page views a second, for so many seconds, of so many visitors; each stream stays open for a while.
PAGE_VIEWS: Final = 500
PAGE_SECONDS: Final = 20.0
PAGE_VISITORS: Final = 2_000
OPEN_SECONDS: Final = 2.0
#: Openings under way; what is due beyond them is missed: the server is too slow by far.
MAX_OPENING: Final = 1_000
#: Two heartbeats of every stream.
HEARTBEATS_SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 5.0
#: How long openings under way may take once the last is due.
_SETTLE_OPENINGS_SECONDS: Final = 30.0
_OPENED_WITHIN_SECONDS: Final = 600.0
_OPENING_AT_ONCE: Final = 64


def measure_intake(checkout: Checkout, workshop: Workshop) -> list[Figure]:
    """Return the requests a second of the collector alone, and of an app that only decodes and answers.

    The collector runs as in a separate deployment: ClickHouse and Redis in processes of their own, on the same cores.
    """
    seconds = workshop.seconds or INTAKE_SECONDS
    folder = workshop.run_folder()
    (folder / "redis").mkdir(parents=True)
    with running_listener() as clickhouse, running_redis(folder / "redis") as redis:
        port = write_shop(checkout.tree, folder / "shop", INTAKE_RULES, f"{clickhouse}/bench", redis)
        with running(checkout.tree, folder / "shop", ["-m", "micromoment", "collector"], port) as collector:
            durable = _saturated("collector alone, durable", collector, seconds)
    (port,) = free_ports(1)
    script = str(Path(__file__).with_name("decode_only.py"))
    with running(checkout.tree, folder, [script, str(port)], port) as app:
        decoding = _saturated("app that only decodes", app, seconds)
    ratios = [
        Figure(f"durable ingest over decoding only, {what}", kept.value / decoded.value, "x")
        for what, kept, decoded in zip(("requests/s", "processor per event"), durable, decoding, strict=False)
    ]
    return [*ratios, *durable, *decoding]


def measure_pages(checkout: Checkout, workshop: Workshop) -> list[Figure]:
    """Return how many page views a second get their stream opened, how soon, and what each costs."""
    seconds = workshop.seconds or PAGE_SECONDS
    with workshop.shop(checkout) as product:
        wire = Wire(product.port)
        visitors = new_visitors(PAGE_VISITORS, workshop.stored // EVENTS_PER_VISITOR)
        opening = _Openings(wire, introduce(wire, visitors))
        time.sleep(SETTLE_SECONDS)
        before = read_usage(product.session)
        with undisturbed():
            opening.run(PAGE_VIEWS, seconds)
        used = spent(before, read_usage(product.session))
        wire.close()
    opened = opening.opened_ms
    name = f"{PAGE_VIEWS} page views/s: "
    return [
        Figure(f"{name}streams opened", opening.in_time / seconds, "/s"),
        Figure(f"{name}due -> open, p50", percentile(opened, 0.5), "ms"),
        Figure(f"{name}due -> open, p99", percentile(opened, 0.99), "ms"),
        Figure(f"{name}processor of the product each", used.product_seconds / len(opened) * 1000, "ms"),
        Figure(f"{name}missed, or never opened", opening.missed, "", compared=False),
        *_cores(name, used),
    ]


def measure_streams(checkout: Checkout, workshop: Workshop) -> list[Figure]:
    """Return what open streams hold in memory, and what their heartbeats cost."""
    number, seconds = workshop.streams, workshop.seconds or HEARTBEATS_SECONDS
    with workshop.shop(checkout) as product:
        wire = Wire(product.port)
        tokens = introduce(wire, new_visitors(number))
        time.sleep(SETTLE_SECONDS)
        idle = _listen(product, wire, seconds)
        empty = anonymous_bytes(product.session)
        heard = _open_all(wire, tokens)
        time.sleep(SETTLE_SECONDS)
        full = anonymous_bytes(product.session)
        heard.heartbeats = 0
        busy = _listen(product, wire, seconds)
        wire.close()
    extra_us = (busy.product_seconds - idle.product_seconds) * 1e6
    name = f"{number} open streams: "
    return [
        Figure(f"{name}memory each", (full - empty) / 1024 / max(1, heard.open), "KiB"),
        Figure(f"{name}processor of a heartbeat", extra_us / max(1, heard.heartbeats), "us"),
        Figure(f"{name}cores for heartbeats", busy.product_cores - idle.product_cores, "cores"),
        Figure(f"{name}opened", heard.open, "", compared=False),
        *_cores(name, busy),
    ]


def _saturated(name: str, product: Product, seconds: float) -> list[Figure]:
    wire = Wire(product.port)
    load, source = Saturation(wire, INTAKE_CONNECTIONS), batches(new_visitors(INTAKE_VISITORS), EVENTS_PER_REQUEST)
    load.run(source, seconds / 5)
    before = read_usage(product.session)
    took = load.run(source, seconds)
    used = spent(before, read_usage(product.session))
    wire.close()
    events = max(1, load.answered * EVENTS_PER_REQUEST)
    return [
        Figure(f"{name}: requests", load.answered / took, "/s"),
        Figure(f"{name}: processor per event", used.product_seconds / events * 1e6, "us"),
        Figure(f"{name}: refused", load.refused, "", compared=False),
        *_cores(f"{name}: ", used),
    ]


class _Openings:
    """Opens streams at planned instants, and closes each a while after it opened."""

    def __init__(self, wire: Wire, tokens: list[bytes]) -> None:
        self.opened_ms: list[float] = []
        self.missed = 0
        self.in_time = 0
        self._wire = wire
        self._tokens = tokens
        self._opening: dict[int, Stream] = {}
        self._leaving: deque[tuple[float, Stream]] = deque()

    def run(self, rate: int, seconds: float) -> None:
        begin = time.monotonic() + 0.1
        for number in range(int(rate * seconds)):
            due = begin + number / rate
            self._poll_until(due)
            if len(self._opening) >= MAX_OPENING:
                self.missed += 1
                continue
            token = self._tokens[number % len(self._tokens)]
            self._opening[number] = Stream(self._wire, token, partial(self._hear, number, due))
        self.in_time = len(self.opened_ms)
        until = time.monotonic() + _SETTLE_OPENINGS_SECONDS
        while self._opening and time.monotonic() < until:
            self._poll_until(time.monotonic() + 0.05)
        self.missed += len(self._opening)

    def _hear(self, number: int, due: float, data: bytes) -> None:
        if b": open" in data and number in self._opening:
            at = time.monotonic()
            self.opened_ms.append((at - due) * 1000)
            self._leaving.append((at + OPEN_SECONDS, self._opening.pop(number)))

    def _poll_until(self, due: float) -> None:
        self._wire.poll(0)
        while (left := due - time.monotonic()) > 0:
            self._wire.poll(left)
        while self._leaving and self._leaving[0][0] <= time.monotonic():
            self._leaving.popleft()[1].close()


class _Heard:
    """Counts what open streams said."""

    def __init__(self) -> None:
        self.open = 0
        self.heartbeats = 0

    def take(self, data: bytes) -> None:
        self.open += data.count(b": open")
        self.heartbeats += data.count(b": heartbeat")


def _open_all(wire: Wire, tokens: list[bytes]) -> _Heard:
    """Open a stream for each token, so many at a time, and keep all of them open."""
    heard, until = _Heard(), time.monotonic() + _OPENED_WITHIN_SECONDS
    for number, token in enumerate(tokens):
        while number - heard.open >= _OPENING_AT_ONCE and time.monotonic() < until:
            wire.poll(0.1)
        Stream(wire, token, heard.take)
    while heard.open < len(tokens) and time.monotonic() < until:
        wire.poll(0.1)
    return heard


def _listen(product: Product, wire: Wire, seconds: float) -> Spent:
    """Read what streams say for a while, and return what was used meanwhile."""
    before, until = read_usage(product.session), time.monotonic() + seconds
    while time.monotonic() < until:
        wire.poll(min(0.1, until - time.monotonic()))
    return spent(before, read_usage(product.session))


def _cores(name: str, used: Spent) -> list[Figure]:
    said = [
        ("product", used.product_cores),
        ("load generator", used.generator_cores),
        ("everything else on the machine", used.other_cores),
    ]
    return [Figure(f"{name}{what}", value, "cores", compared=False) for what, value in said]

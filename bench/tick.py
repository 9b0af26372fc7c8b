"""How long a tick of the worker takes, by how much is stored and how many rules there are."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from bench.figures import percentile
from trigger_worker.content.templates import TemplateFolder
from trigger_worker.decider import Decider
from trigger_worker.dispatcher import Dispatcher
from trigger_worker.feed_reader import FeedReader
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.outbox import Outbox
from trigger_worker.policy_source import PolicySource
from trigger_worker.reading.feed import read_clock
from trigger_worker.records import Records
from trigger_worker.rules.folder import RuleFolder
from trigger_worker.worker import Worker
from warehouse.connection import Warehouse, connect
from warehouse.migrations import migrate

STORED: Final = (100_000, 1_000_000)
RULES: Final = (10, 100, 1_000)
ACTIVE_VISITORS: Final = 300
EVENTS_PER_VISITOR: Final = 100
TICKS: Final = 40
IDLE_TICKS: Final = 40
#: Longer than the feed is read again, so that an idle tick finds nothing.
SETTLE_SECONDS: Final = 5.0
#: The memory that the embedded engine may use.
MEMORY_BYTES: Final = 1024**3

#: `when` and `if`; {n} is another number in each rule, {h} another wait.
TEMPLATES: Final = (
    ('view_item[category == "c{n}"] -> add_to_cart within 2m -> no purchase within {h}h', "true"),
    ("hover[duration >= 3s and price > {n}9]", "count(add_to_cart, 1d) == 0 and count(purchase, 7d) == 0"),
    ('add_to_cart[category == "c{n}"]', "count(add_to_cart, 10m) > 3"),
    ('dwell[duration >= 3m and category == "c{n}"]', "count(scroll, 3m) == 0"),
    ('search[search_term ~ "w{n}*"] -> no (select_item or view_item) within 3{h}m', "true"),
    ('page_view[path ~ "/c{n}/*"]', 'count(page_view[path ~ "/c{n}/*"], 7d) >= 3'),
    ("any -> no any within {h}d", "count(purchase, 30d) >= {n}"),
    ('add_to_cart[category == "c{n}"]', 'cart.value >= {n}0 and device == "mobile"'),
    ("purchase", 'last(view_item.category) == "c{n}" and sum(purchase.value, 30d) > {n}00'),
    ('view_item[category == "c{n}"] -> view_item[category == "c{n}"] within 10m', "local_hour < 20"),
)

#: Events of `visitors` visitors, `number` counting them, at `at`.
_EVENTS: Final = """
INSERT INTO events (site, visitor_id, anonymous_id, event_id, event, type, source, ts, received_at, ingested_at,
                    category, price, value, duration_ms, path, device, timezone, props)
SELECT 'shop', concat('visitor-', toString(number % {visitors:UInt32})) AS visitor, visitor,
       generateUUIDv4() AS event_id,
       ['page_view', 'page_view', 'view_item', 'view_item', 'hover', 'scroll', 'dwell', 'search', 'add_to_cart',
        'purchase'][rand(1) % 10 + 1] AS event,
       'track', 'live', AT AS ts, ts, ts,
       concat('c', toString(rand(2) % 100)) AS category, rand(3) % 1000 AS price, price,
       [1000, 3000, 10000, 180000][rand(4) % 4 + 1],
       concat('/', category, '/', toString(rand(5) % 50)), ['mobile', 'desktop'][cityHash64(visitor) % 2 + 1],
       'Europe/Berlin', '{"colour": "red", "size": 42}'
FROM numbers({count:UInt32})
"""
_LONG_AGO: Final = "now64(3) - toIntervalMillisecond(60000 + rand64(6) % 2592000000)"


def measure() -> list[str]:
    """Return how long ticks take on the embedded engine, for each amount of events and of rules."""
    with tempfile.TemporaryDirectory() as folder:
        return [line for stored in STORED for line in _with_events(Path(folder), stored)]


def _with_events(folder: Path, stored: int) -> Iterator[str]:
    with connect(f"chdb://{folder}/clickhouse?database=stored_{stored}", MEMORY_BYTES) as warehouse:
        migrate(warehouse)
        _store(warehouse, stored, stored // EVENTS_PER_VISITOR, _LONG_AGO)
        warehouse.command("OPTIMIZE TABLE events")
        for rules in RULES:
            worker = _worker(warehouse, folder / f"{stored}-{rules}", rules)
            yield asyncio.run(_ticks(warehouse, worker, f"tick, {stored} events, {rules} rules"))


def _store(warehouse: Warehouse, count: int, visitors: int, at: str) -> None:
    warehouse.command(_EVENTS.replace("AT AS ts", f"{at} AS ts"), {"count": count, "visitors": visitors})


def _worker(warehouse: Warehouse, folder: Path, rules: int) -> Worker:
    (folder / "rules").mkdir(parents=True)
    for number in range(rules):
        when, condition = TEMPLATES[number % len(TEMPLATES)]
        text = f"id: r{number}\nwhen: '{when}'\nif: '{condition}'\n"
        text = text.replace("{n}", str(number // 10 % 100)).replace("{h}", str(1 + number // 10 % 5))
        (folder / "rules" / f"r{number}.yaml").write_text(text)
    outbox, metrics = Outbox(), WorkerMetrics(CollectorRegistry())
    return Worker(
        warehouse,
        folder=RuleFolder(folder / "rules", folder / "audiences.yaml"),
        policy=PolicySource(folder / "policy.yaml"),
        decider=Decider(warehouse, ""),
        dispatcher=Dispatcher(
            records=Records(warehouse),
            outbox=outbox,
            templates=TemplateFolder(folder / "templates"),
            channels={},
            site_urls={},
            metrics=metrics,
            now_ms=lambda: time.time_ns() // 1_000_000,
        ),
        outbox=outbox,
        metrics=metrics,
        clock_ms=lambda: read_clock(warehouse),
    )


async def _ticks(warehouse: Warehouse, worker: Worker, name: str) -> str:
    reader = await worker.resume()
    await worker.tick(reader)  # not counted: reads the rules and compiles what is compiled once
    samples = [await _busy_tick(warehouse, worker, reader) for _ in range(TICKS)]
    await asyncio.sleep(SETTLE_SECONDS)
    await worker.tick(reader)
    started = time.process_time()
    for _ in range(IDLE_TICKS):
        await worker.tick(reader)
    idle_ms = (time.process_time() - started) / IDLE_TICKS * 1000
    p50, p95 = percentile(samples, 0.5), percentile(samples, 0.95)
    return (
        f"{name}, {ACTIVE_VISITORS} active visitors: p50 {p50:.0f} ms, p95 {p95:.0f} ms ({TICKS} ticks);"
        f" idle {idle_ms:.1f} ms of CPU"
    )


async def _busy_tick(warehouse: Warehouse, worker: Worker, reader: FeedReader) -> float:
    await asyncio.to_thread(_store, warehouse, ACTIVE_VISITORS, ACTIVE_VISITORS, "now64(3)")
    started = time.perf_counter()
    await worker.tick(reader)
    return (time.perf_counter() - started) * 1000

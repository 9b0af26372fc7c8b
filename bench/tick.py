"""Benchmark of a tick of the worker that the bus told nothing, by the number of stored events and of rules.

A tick is a sweep of the feed that finds news of people, most of whom are not in memory, and the answers to it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from bench.figures import percentile
from bench.shop import fill, store, write_rules
from micromoment.roles.worker import build_worker
from tests.trigger_worker.storing_log import StoringLog, nothing_left
from tests.trigger_worker.ticking import tick
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.live.sweep import FeedSweep
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import People
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.store.records import Records
from trigger_worker.worker import Worker
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse, connect

STORED: Final = (100_000, 1_000_000, 10_000_000)
RULES: Final = (10, 100, 1_000)
ACTIVE_VISITORS: Final = 300
TICKS: Final = 40
IDLE_TICKS: Final = 100
#: A time longer than the feed is read again and the clocks' skew, so that an idle tick finds nothing.
SETTLE_SECONDS: Final = 8.0
#: The most memory of the embedded engine, in bytes.
MEMORY_BYTES: Final = 2 * 1024**3


def measure() -> list[str]:
    """Return the time of ticks on the embedded engine, for each number of events and of rules."""
    with tempfile.TemporaryDirectory() as folder:
        return [line for stored in STORED for line in _with_events(Path(folder), stored)]


def _with_events(folder: Path, stored: int) -> Iterator[str]:
    with connect(f"chdb://{folder}/clickhouse?database=stored_{stored}", MEMORY_BYTES) as warehouse:
        fill(warehouse, stored)
        for rules in RULES:
            write_rules(folder / f"{stored}-{rules}" / "rules", rules)
            metrics = WorkerMetrics(CollectorRegistry())
            worker = _worker(warehouse, folder / f"{stored}-{rules}", metrics)
            line = asyncio.run(_ticks(warehouse, worker, metrics, f"tick, {stored} events, {rules} rules"))
            print(line, file=sys.stderr)
            yield line


def _worker(warehouse: Warehouse, folder: Path, metrics: WorkerMetrics) -> Worker:
    return build_worker(
        warehouse,
        records=Records(warehouse),
        log=StoringLog(warehouse),
        folder=RuleFolder(folder / "rules", folder / "audiences.yaml"),
        policy=PolicySource(folder / "policy.yaml"),
        recipients=Recipients({}),
        renderer=Renderer(TemplateFolder(folder / "templates"), {}, FactCleaner({})),
        channels={},
        people=People(started_at=_now_ms()),
        addresses=AddressKeys(b"secret"),
        confirming=frozenset(),
        ceilings={},
        metrics=metrics,
        clock_ms=_now_ms,
        now_ms=_now_ms,
        caught_up=nothing_left,
    )


async def _ticks(warehouse: Warehouse, worker: Worker, metrics: WorkerMetrics, name: str) -> str:
    reader = await worker.resume()
    await tick(worker, reader)  # not counted: reads the rules and compiles what is compiled once
    busy = [await _busy_tick(warehouse, worker, reader) for _ in range(TICKS)]
    await asyncio.sleep(SETTLE_SECONDS)
    await tick(worker, reader)
    ticks = [await _idle_tick(worker, metrics, reader) for _ in range(IDLE_TICKS)]
    idle = [spent for spent in ticks if spent is not None]
    wall, cpu = [wall for wall, _ in busy], [cpu for _, cpu in busy]
    return (
        f"{name}, {ACTIVE_VISITORS} active visitors: p50 {percentile(wall, 0.5):.0f} ms,"
        f" p95 {percentile(wall, 0.95):.0f} ms; CPU p50 {percentile(cpu, 0.5):.0f} ms ({TICKS} ticks);"
        f" idle p50 {percentile(idle, 0.5):.1f} ms of CPU ({len(idle)} ticks)"
    )


async def _busy_tick(warehouse: Warehouse, worker: Worker, reader: FeedSweep) -> tuple[float, float]:
    """Return the time of a tick with work, in ms: by the clock, and of the processors."""
    await asyncio.to_thread(store, warehouse, ACTIVE_VISITORS, ACTIVE_VISITORS)
    started, cpu_before = time.perf_counter(), time.process_time()
    await tick(worker, reader)
    return (time.perf_counter() - started) * 1000, (time.process_time() - cpu_before) * 1000


async def _idle_tick(worker: Worker, metrics: WorkerMetrics, reader: FeedSweep) -> float | None:
    """Return the processor time of an idle tick, in ms; None when a wait of the stored events ended in it."""
    asked, before = _candidates(metrics), time.process_time()
    await tick(worker, reader)
    spent = (time.process_time() - before) * 1000
    return spent if _candidates(metrics) == asked else None


def _candidates(metrics: WorkerMetrics) -> float:
    return sum(sample.value for metric in metrics.candidates.collect() for sample in metric.samples)


def _now_ms() -> int:
    """Return the time; on one machine it is that of the embedded engine, which stamps the feed."""
    return time.time_ns() // 1_000_000

"""Benchmark of delivery: the emails a worker sends in a second, and the cost of waiting steps when idle."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from e2e.ports import free_ports
from e2e.waiting import answers, wait_for
from micromoment.roles.worker import build_worker
from micromoment.serving import running
from tests.trigger_worker.ticking import tick
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.recipient.recipients import Recipients
from trigger_worker.deciding.sequence.queueing import queue_messages
from trigger_worker.delivery.channels.email import EmailChannel, EmailSettings
from trigger_worker.delivery.content.foreign_text import FactCleaner
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.delivery.renderer import Renderer
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import People
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.store.feed import read_clock
from trigger_worker.store.fires import Fire
from trigger_worker.store.queue import queue_record
from trigger_worker.store.records import Records
from trigger_worker.store.row_log import JournalRowLog
from trigger_worker.worker import Worker
from warehouse.address_ledger import AddressKeys
from warehouse.connection import Warehouse, connect
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.log import Journal
from warehouse.journal.mover import Mover
from warehouse.journal.tables import JournalTable
from warehouse.migrations import migrate

EMAILS: Final = 2_000
PENDING_STEPS: Final = 10_000
SETTLED_MESSAGES: Final = 300_000
IDLE_TICKS: Final = 40
#: A time longer than the feed is read again, so that an idle tick finds nothing.
SETTLE_SECONDS: Final = 5.0
MEMORY_BYTES: Final = 1024**3
_RULE: Final = "id: reminds\nwhen: add_to_cart\nevery: 0\nsend:\n  - email: reminder\n    after: 1h\n"
_TEMPLATE: Final = "---\nsubject: Your cart\n---\n<p>Hello {{ visitor.first_name }}, your cart is waiting.</p>\n"
_ADDRESSES: Final = """
INSERT INTO events (site, visitor_id, anonymous_id, event_id, event, type, source, ts, received_at, props)
SELECT 'shop', concat('visitor-', toString(number)) AS visitor, visitor, toString(number), 'identify', 'identify',
       'live', now64(3) - toIntervalHour(2) AS at, at, concat('{"traits": {"email": "', visitor, '@example.com"}}')
FROM numbers({count:UInt32})
"""
_SETTLED: Final = """
INSERT INTO messages (message_id, site, rule, visitor_id, channel, class, state, at, due_at, expires_at)
SELECT concat('settled-', toString(number)), 'shop', 'reminds', concat('visitor-', toString(number % 50000)), 'email',
       'marketing', arrayJoin(['pending', 'sent', 'opened']), now64(3) - toIntervalMinute(number % 500000) AS sent_at,
       sent_at, sent_at
FROM numbers({count:UInt32})
"""


def measure() -> list[str]:
    """Return the rate of emails, and the cost of waiting steps, on the embedded engine."""
    with tempfile.TemporaryDirectory() as folder, _mail_server() as smtp_port:
        _write_shop(Path(folder))
        with connect(f"chdb://{folder}/clickhouse", MEMORY_BYTES) as warehouse:
            migrate(warehouse)
            warehouse.command(_ADDRESSES, {"count": EMAILS})
            return asyncio.run(_measure(warehouse, Path(folder), smtp_port))


async def _measure(warehouse: Warehouse, folder: Path, smtp_port: int) -> list[str]:
    now_ms = read_clock(warehouse)
    _ask_for(warehouse, EMAILS, fired_at=now_ms - 3_600_000)
    settings = EmailSettings(host="127.0.0.1", port=smtp_port, sender="Shop <shop@example.com>")
    async with EmailChannel(settings, _now_ms) as email, _journal(warehouse, folder) as (journal, mover):
        started, cpu_started = time.perf_counter(), time.process_time()
        await _work_off(_worker(warehouse, folder, journal, mover, email), journal)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        ((sent,),) = warehouse.query("SELECT uniqExact(message_id) FROM messages WHERE state = 'sent'")
        each_ms = cpu_seconds / sent * 1000
        rate = f"SMTP delivery: {sent} emails in {seconds:.1f} s, {sent / seconds:.0f}/s (aim: 100/s)"
        lines = [f"{rate}, {each_ms:.1f} ms of the worker's CPU each"]
        idle_ms = await _idle(_worker(warehouse, folder, journal, mover, email), journal)
        warehouse.command(_SETTLED, {"count": SETTLED_MESSAGES})
        _ask_for(warehouse, PENDING_STEPS, fired_at=now_ms)
        worker = _worker(warehouse, folder, journal, mover, email)
        started = time.perf_counter()
        await worker.resume()
        resumed_ms = (time.perf_counter() - started) * 1000
        waiting_ms = await _idle(worker, journal)
    lines.append(
        f"idle tick: {idle_ms:.1f} ms of CPU with nothing that waits, {waiting_ms:.1f} ms with {PENDING_STEPS} steps"
    )
    lines.append(f"start with {PENDING_STEPS} steps among {SETTLED_MESSAGES} settled messages: {resumed_ms:.0f} ms")
    return lines


def _worker(warehouse: Warehouse, folder: Path, journal: JournalThread, mover: Mover, email: EmailChannel) -> Worker:
    return build_worker(
        warehouse,
        records=Records(warehouse),
        log=JournalRowLog(journal),
        folder=RuleFolder(folder / "rules", folder / "audiences.yaml"),
        policy=PolicySource(folder / "policy.yaml"),
        recipients=Recipients({}),
        renderer=Renderer(TemplateFolder(folder / "templates"), {}, FactCleaner({})),
        channels={"email": email},
        people=People(started_at=_now_ms()),
        addresses=AddressKeys(b"secret"),
        confirming=frozenset(),
        ceilings={},
        metrics=WorkerMetrics(CollectorRegistry()),
        clock_ms=lambda: read_clock(warehouse),
        now_ms=_now_ms,
        caught_up=mover.caught_up,
    )


async def _moved(journal: JournalThread) -> None:
    """Wait until ClickHouse has every row."""
    while journal.oldest_at() is not None:  # noqa: ASYNC110 - the journal tells nobody else than its mover
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _journal(warehouse: Warehouse, folder: Path) -> AsyncIterator[tuple[JournalThread, Mover]]:
    """Keep a journal, and move its rows as a running worker does."""
    with JournalThread(Journal(folder / "journal")) as journal, Mover(journal, warehouse, _nobody) as mover:
        async with running(mover.run(), "journal mover"):
            yield journal, mover


async def _nobody(_: JournalTable) -> None:
    """Tell nobody that rows were moved."""


async def _work_off(worker: Worker, journal: JournalThread) -> None:
    reader = await worker.resume()
    while worker.delivery.message_ids():
        await tick(worker, reader)
        await worker.dispatcher.settle(60)
    await _moved(journal)


async def _idle(worker: Worker, journal: JournalThread) -> float:
    """Return the processor time, in ms, of a tick that finds nothing to do."""
    reader = await worker.resume()
    await tick(worker, reader)
    await _moved(journal)
    await asyncio.sleep(SETTLE_SECONDS)
    await tick(worker, reader)
    started = time.process_time()
    for _ in range(IDLE_TICKS):
        await tick(worker, reader)
    return (time.process_time() - started) / IDLE_TICKS * 1000


def _ask_for(warehouse: Warehouse, count: int, fired_at: int) -> None:
    rule = read_rule(_RULE, "reminds.yaml", AudienceNames()).rule
    assert rule is not None
    fires = [
        Fire(f"{fired_at}-{number}", "shop", rule.id, rule.version, f"visitor-{number}", "", fired_at, {})
        for number in range(count)
    ]
    queued = [message for fire in fires for message in queue_messages(rule, fire, fired_at)]
    Records(warehouse).store_messages([queue_record(message) for message in queued])


def _write_shop(folder: Path) -> None:
    for name, text in {"rules/reminds.yaml": _RULE, "templates/reminder.email.html": _TEMPLATE}.items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)


@contextmanager
def _mail_server() -> Iterator[int]:
    """Run the mailbox of the demo in a process of its own."""
    port, smtp_port = free_ports(2)
    command = [sys.executable, "-m", "micromoment.mailbox", "--port", str(port), "--smtp-port", str(smtp_port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/"), "the mailbox")
        yield smtp_port
    finally:
        server.terminate()
        server.wait()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

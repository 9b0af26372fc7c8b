"""A shop whose worker is disturbed as a plan says: readings and the disk take their time, and the worker is killed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import msgspec

from tests.trigger_worker.agreement.answers import Answer
from tests.trigger_worker.agreement.disturbances import Action, Batch, Kind, Plan
from tests.trigger_worker.agreement.live import empty, event_of
from tests.trigger_worker.keeping_log import KeepingLog
from tests.trigger_worker.shop import START_MS, Shop, as_accepted
from tests.trigger_worker.stored import store
from tests.trigger_worker.ticking import tick
from trigger_worker.delivery import ledger
from trigger_worker.people import source
from trigger_worker.people.memory import People
from trigger_worker.people.reading import read_people
from trigger_worker.store.people import Visitor
from trigger_worker.store.row_log import WorkerRows
from warehouse.connection import Warehouse
from warehouse.errors import JournalError
from warehouse.event import format_time

#: How long the worker goes on beside what is held, in seconds.
BESIDE_SECONDS: Final = 0.01
PATIENCE_SECONDS: Final = 60
#: Messages of the bus, and inserts, that come so soon after each other come together.
TOGETHER_MS: Final = 50


class SlowLog(KeepingLog):
    """Keeps rows in their order, once the disk lets them pass.

    Attributes:
        holds: `before` or `after` the next rows are durable, their append waits for `free`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.holds: Kind | None = None
        self.free = asyncio.Event()
        self._turn = asyncio.Lock()

    async def append(self, rows: WorkerRows, now_ms: int) -> None:
        """Keep rows, or refuse them, in the order of the calls."""
        async with self._turn:
            held, self.holds = self.holds, None
            if held is Kind.HOLD_BEFORE:
                await self.free.wait()
            await super().append(rows, now_ms)
        if held is Kind.HOLD_AFTER:
            await self.free.wait()


class SlowReading:
    """Reads people, and keeps the result of one reading back while it is held."""

    def __init__(self) -> None:
        self.is_next = False
        self.free = threading.Event()

    def read(self, *arguments: Any) -> Any:
        """Return what is read, once that is let pass."""
        is_held, self.is_next, free = self.is_next, False, self.free
        found = read_people(*arguments)
        if is_held:
            free.wait(PATIENCE_SECONDS)
        return found


class Outcome(msgspec.Struct, frozen=True):
    """What came of a plan.

    Args:
        firings: each row that is stored.
        verdicts: by message, its verdicts with their reasons, in order, without repeats in a row.
        states: by message, its last state.
        sent: by channel and message, how often it was handed over.
    """

    firings: list[Answer]
    verdicts: dict[str, list[tuple[str, str]]]
    states: dict[str, str]
    sent: dict[tuple[str, str], int]


class DisturbedShop:
    """Carries out plans.

    Args:
        warehouse: emptied first.
        folder: an empty one.
        plan: what happens.
    """

    def __init__(self, warehouse: Warehouse, folder: Path, plan: Plan) -> None:
        empty(warehouse)
        self.shop = Shop(warehouse, folder)
        self.shop.log = self._log = SlowLog()
        self.shop.max_bytes = plan.max_bytes
        self._plan = plan
        self._reading = SlowReading()
        self._is_held = False
        self._beside: set[asyncio.Task[Any]] = set()
        self._sweeping: asyncio.Task[Any] | None = None
        self._unstored = dict.fromkeys(action.batch for action in plan.actions if action.batch is not None)

    async def run(self) -> Outcome:
        """Return what came of everything that happened."""
        with (
            patch.object(source, "read_people", self._reading.read),
            patch.object(ledger, "RETRY_SECONDS", BESIDE_SECONDS),
        ):
            self.shop.now_ms = START_MS - 60_000
            await self._start()
            try:
                for together in _together(self._plan.actions):
                    self.shop.now_ms = max(self.shop.now_ms, START_MS + together[-1].at)
                    await self._do(together)
            finally:
                self.shop.worker.close()
        self._log.move(self.shop.warehouse)
        return self._outcome()

    async def _do(self, together: Sequence[Action]) -> None:
        action, batches = together[0], [one.batch for one in together if one.batch is not None]
        match action.kind:
            case Kind.HEAR:
                for batch in batches:
                    rows = [as_accepted(row) for row in _rows(batch)]
                    self.shop.worker.hear(rows, START_MS + batch.accepted)
                await self._let_work()
            case Kind.STORE:
                self._store(batches)
            case Kind.SWEEP:
                await self._sweep()
            case Kind.MOVE:
                self._log.move(self.shop.warehouse)
            case Kind.EVICT:
                self._people.forget(Visitor("shop", action.visitor))
            case Kind.EVICT_ALL:
                self._people.forget_site("shop")
            case Kind.RELEASE:
                await self._release()
            case Kind.KILL:
                await self._kill()
            case _:
                self._hold(action.kind)

    @property
    def _people(self) -> People:
        return self.shop.worker.evaluation._people

    def _store(self, batches: Sequence[Batch]) -> None:
        now = format_time(self.shop.now_ms)
        fresh = [batch for batch in dict.fromkeys(batches) if batch in self._unstored]
        if fresh:
            rows = [{**row, "ingested_at": now} for batch in fresh for row in _rows(batch)]
            store(self.shop.warehouse, *rows)
        for batch in fresh:
            del self._unstored[batch]

    def _hold(self, kind: Kind) -> None:
        self._is_held = True
        if kind is Kind.HOLD_READING:
            self._reading.is_next = True
        elif kind is Kind.REFUSE:
            self._log.fails = True
        else:
            self._log.holds = kind

    async def _let_work(self) -> None:
        """Let the worker ask about what it heard; while something is held, as far as it comes."""
        bus = self.shop.worker.evaluation.bus
        if not self._is_held:
            await self.shop.worker.evaluation.settle()
            await self.shop.dispatcher.settle(10)
            return
        bus.step()
        self._start_beside(bus.load())
        await asyncio.wait(self._beside, timeout=BESIDE_SECONDS)

    async def _sweep(self) -> None:
        if not self._is_held:
            await self._tick()
        elif self._sweeping is None or self._sweeping.done():
            self._sweeping = self._start_beside(self._step())
            await asyncio.wait(self._beside, timeout=BESIDE_SECONDS)

    async def _step(self) -> None:
        """Sweep and send, without waiting for what is held."""
        with contextlib.suppress(JournalError):
            ticked = await self.shop.worker.evaluation.evaluate(self.shop.reader)
            await self.shop.worker.delivery.send_due(ticked.now_ms)

    async def _tick(self) -> None:
        # The worker sweeps again after a second; here, with the next action that says so.
        with contextlib.suppress(JournalError):
            await tick(self.shop.worker, self.shop.reader)
        await self.shop.dispatcher.settle(10)

    def _start_beside(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._beside.add(task)
        return task

    async def _release(self) -> None:
        self._let_pass()
        async with asyncio.timeout(PATIENCE_SECONDS):
            beside, self._beside = self._beside, set()
            await asyncio.gather(*beside)
            await self._let_work()

    def _let_pass(self) -> None:
        self._is_held = self._reading.is_next = self._log.fails = False
        self._log.holds = None
        self._reading.free.set()
        self._log.free.set()
        self._reading.free, self._log.free = threading.Event(), asyncio.Event()

    async def _kill(self) -> None:
        """Throw away all that is not on disk: what is under way comes no further."""
        me = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not me]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._beside.clear()
        self._let_pass()
        self.shop.worker.close()
        await self._start()

    async def _start(self) -> None:
        self._log.move(self.shop.warehouse)
        if self._plan.is_alone:
            accepted = [batch for batch in self._unstored if START_MS + batch.accepted <= self.shop.now_ms]
            self._store(accepted)
        await self.shop.starts()
        await self._tick()

    def _outcome(self) -> Outcome:
        fires = f"SELECT rule, visitor_id, key, toUnixTimestamp64Milli(at) - {START_MS} FROM fires"
        decisions = "SELECT message_id, verdict, reason FROM decisions ORDER BY decided_at, verdict = 'send'"
        states = "SELECT message_id, argMax(state, (at, state)) FROM messages GROUP BY message_id"
        verdicts: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for message_id, verdict, reason in self.shop.rows(decisions):
            if verdicts[message_id][-1:] != [(verdict, reason)]:
                verdicts[message_id].append((verdict, reason))
        sent: defaultdict[tuple[str, str], int] = defaultdict(int)
        for name, channel in self.shop.channels.items():
            for message in channel.sent:
                sent[name, message.message_id] += 1
        firings = sorted((rule, visitor, key, at) for rule, visitor, key, at in self.shop.rows(fires))
        return Outcome(firings, dict(verdicts), dict(self.shop.rows(states)), dict(sent))


def _rows(batch: Batch) -> list[dict[str, Any]]:
    return [event_of(sent, START_MS + batch.accepted, START_MS + batch.accepted) for sent in batch.sents]


def _together(actions: Iterable[Action]) -> Iterator[list[Action]]:
    """Yield actions; those of one kind that follow upon each other within `TOGETHER_MS` are together."""
    together: list[Action] = []
    for action in actions:
        is_apart = action.batch is None or action.at > together[0].at + TOGETHER_MS if together else False
        if together and (is_apart or action.kind is not together[0].kind):
            yield together
            together = []
        together.append(action)
    yield together

"""What is due goes out, and what cannot go out now is not forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import queued
from tests.waiting import until
from trigger_worker.deciding.decider import Decided, Decider
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.loop import MAX_DECIDED, DeliveryLoop
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.records import Records
from trigger_worker.store.rule_versions import RuleVersions
from warehouse.connection import Warehouse
from warehouse.errors import WarehouseUnavailable

HOVER = "when: hover[duration >= 3s]\nevery: 0s\nsend:\n  - banner: hello\n"


class Stage:
    """A delivery loop between a decider and a dispatcher that note what they are given."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.outbox = Outbox()
        self.decided: list[list[str]] = []
        self.dispatched: list[str] = []
        self.on_decide: Callable[[], None] = lambda: None
        self.loop = DeliveryLoop(
            outbox=self.outbox,
            decider=cast(Decider, self),
            dispatcher=cast(Dispatcher, self),
            versions=RuleVersions(warehouse, Records(warehouse)),
            policy=PolicySource(folder / "policy.yaml"),
            metrics=WorkerMetrics(CollectorRegistry()),
            clock_ms=lambda: 1_000,
        )

    def decide(self, due: Sequence[QueuedMessage], *_: Any) -> list[QueuedMessage]:
        self.decided.append([message.message_id for message in due])
        self.on_decide()
        return list(due)

    async def dispatch(self, decided: Sequence[QueuedMessage]) -> None:
        self.dispatched += [message.message_id for message in decided]

    def under_way(self) -> list[QueuedMessage]:
        return []


@pytest.fixture
def stage(embedded_warehouse: Warehouse, tmp_path: Path) -> Stage:
    return Stage(embedded_warehouse, tmp_path)


def message(name: str, **changes: Any) -> QueuedMessage:
    return queued(name, **{"fire_id": f"fire-{name}", "visitor_id": name, "due_at": 1_000, **changes})


async def test_only_what_is_due_goes_out(stage: Stage) -> None:
    stage.outbox.add([message("now"), message("later", due_at=1_001)])
    await stage.loop.send_due(1_000)
    assert stage.dispatched == ["now"]
    assert stage.loop.message_ids() == {"later"}


async def test_messages_of_one_firing_go_out_one_after_another(stage: Stage) -> None:
    stage.outbox.add([message(name, fire_id="fire", due_at=at) for at, name in enumerate("abc")])
    await stage.loop.send_due(1_000)
    assert stage.decided == [["a"], ["b"], ["c"]]


async def test_more_than_are_decided_on_together_all_go_out(stage: Stage) -> None:
    names = [f"m{number:04d}" for number in range(2 * MAX_DECIDED + 1)]
    stage.outbox.add(map(message, names))
    await stage.loop.send_due(1_000)
    assert [len(portion) for portion in stage.decided] == [MAX_DECIDED, MAX_DECIDED, 1]
    assert sorted(stage.dispatched) == names


async def test_what_clickhouse_cannot_answer_for_waits_again(stage: Stage) -> None:
    def fail() -> None:
        raise WarehouseUnavailable("away")

    stage.outbox.add([message("a"), message("b", fire_id="fire-a")])
    stage.on_decide = fail
    with pytest.raises(WarehouseUnavailable):
        await stage.loop.send_due(1_000)
    assert stage.loop.message_ids() == {"a", "b"}
    stage.on_decide = lambda: None
    await stage.loop.send_due(1_000)
    assert stage.dispatched == ["a", "b"]


async def test_what_a_mistake_of_ours_stops_does_not_stop_the_others(stage: Stage) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    stage.outbox.add([message("bad"), message("good", fire_id="fire-bad", due_at=1_001)])
    stage.on_decide = fail
    with pytest.raises(ZeroDivisionError):
        await stage.loop.send_due(1_001)
    stage.on_decide = lambda: None
    await stage.loop.send_due(1_001)
    assert stage.dispatched == ["good"]


async def test_a_message_is_known_while_it_is_decided_on(stage: Stage) -> None:
    known: list[set[str]] = []
    stage.outbox.add([message("a"), message("b")])
    stage.on_decide = lambda: known.append(stage.loop.message_ids())
    await stage.loop.send_due(1_000)
    assert known == [{"a", "b"}]


async def test_no_firing_waits_for_messages_that_are_being_decided_on(
    embedded_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, free, decide = embedded_shop, threading.Event(), Decider.decide

    def slow(*arguments: Any) -> list[Decided]:
        free.wait()
        return decide(*arguments)

    def fired_for(visitor: str) -> bool:
        return visitor in {fire[1] for fire in shop.fires()}

    monkeypatch.setattr(Decider, "decide", slow)
    shop.rule("lingers", HOVER)
    worker = shop.new_worker()
    running = asyncio.create_task(worker.run())
    try:
        for visitor in ("anna", "bob"):
            shop.happens("hover", visitor, duration_ms=3000)
            shop.now_ms += 100
            worker.wake()
            await until(partial(fired_for, visitor))
        assert shop.sent() == []
        free.set()
        await until(lambda: sorted(shop.sent()) == ["anna", "bob"])
    finally:
        free.set()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

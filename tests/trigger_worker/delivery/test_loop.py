"""What is due goes out, and what cannot go out now is not forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from tests.trigger_worker.shop import Shop
from tests.trigger_worker.stored import fire, person, queued, visitor
from tests.waiting import until
from trigger_worker.deciding.decider import Decided, Decider
from trigger_worker.deciding.experiment.placement import Posteriors
from trigger_worker.deciding.gate.policy_source import PolicySource
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.deciding.recipient.permission import Consent, Permission
from trigger_worker.deciding.recipient.profile import Profile, VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext
from trigger_worker.deciding.sequence.hourly_messages import HourlyMessages
from trigger_worker.deciding.sequence.outbox import Outbox
from trigger_worker.delivery.dispatcher import Dispatcher
from trigger_worker.delivery.loop import MAX_DECIDED, DeliveryLoop
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.address_book import AddressBook, AddressSource
from trigger_worker.people.memory import People
from trigger_worker.people.source import PeopleSource
from trigger_worker.people.state import PersonState
from trigger_worker.store.decisions import Reason
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Visitor
from trigger_worker.store.records import Records
from trigger_worker.store.rule_versions import RuleVersions
from trigger_worker.store.windows import Wanted
from warehouse.address_ledger import AddressKey
from warehouse.connection import Warehouse
from warehouse.errors import JournalError, WarehouseUnavailable

HOVER = "when: hover[duration >= 3s]\nevery: 0s\nsend:\n  - banner: hello\n"

SEND = Verdict("send", Reason.PASSED)
PROFILE = Profile(VisitorContext(id="anna"), Permission(Consent(), frozenset(), {}), CartContext(), {})


class Stage:
    """A delivery loop between a decider and a dispatcher that note what they are given."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.outbox, self.people, metrics = Outbox(), People(), WorkerMetrics(CollectorRegistry())
        self.decided: list[list[str]] = []
        self.dispatched: list[str] = []
        self.stored: list[tuple[Sequence[Fire], Sequence[QueuedMessage]]] = []
        self.on_decide: Callable[[], None] = lambda: None
        self.on_dispatch: Callable[[], None] = lambda: None
        self.on_read: Callable[[], None] = lambda: None
        self.posteriors = Posteriors(warehouse)
        self.hourly = HourlyMessages({}, metrics)
        self.source = PeopleSource(warehouse, self.people, metrics)
        self.loop = DeliveryLoop(
            outbox=self.outbox,
            decider=cast(Decider, self),
            dispatcher=cast(Dispatcher, self),
            versions=RuleVersions(warehouse, Records(warehouse)),
            policy=PolicySource(folder / "policy.yaml"),
            people=cast(PeopleSource, self),
            addresses=AddressSource(warehouse, AddressBook()),
            metrics=metrics,
            now_ms=lambda: 1_000,
        )

    async def of(self, visitors: Iterable[Visitor], now_ms: int, wanted: Wanted | None = None) -> Any:
        self.on_read()
        return await self.source.of(visitors, now_ms, wanted)

    def addresses_of(self, *_: Any) -> dict[str, tuple[AddressKey, ...]]:
        return {}

    def decide(self, due: Sequence[QueuedMessage], people: Mapping[Visitor, PersonState], *_: Any) -> list[Decided]:
        self.decided.append([message.message_id for message in due])
        assert people.keys() >= {message.visitor for message in due}
        self.on_decide()
        return [Decided(message, SEND, "", people[message.visitor].person, PROFILE, ()) for message in due]

    async def dispatch(
        self, decided: Sequence[Decided], fires: Sequence[Fire] = (), queued: Sequence[QueuedMessage] = ()
    ) -> None:
        self.on_dispatch()
        self.dispatched += [one.message.message_id for one in decided]
        self.stored.append((fires, queued))

    def under_way(self) -> list[QueuedMessage]:
        return []


@pytest.fixture
def stage(embedded_warehouse: Warehouse, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(embedded_warehouse, tmp_path)
    yield made
    made.source.close()


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


@pytest.mark.parametrize(
    ("place", "error"), [("on_read", WarehouseUnavailable("away")), ("on_dispatch", JournalError("the disk is full"))]
)
async def test_what_cannot_be_read_or_stored_just_now_waits_again(stage: Stage, place: str, error: Exception) -> None:
    def fail() -> None:
        raise error

    stage.outbox.add([message("a"), message("b", fire_id="fire-a")])
    setattr(stage, place, fail)
    with pytest.raises(type(error)):
        await stage.loop.send_due(1_000)
    assert stage.dispatched == []
    assert stage.loop.message_ids() == {"a", "b"}
    setattr(stage, place, lambda: None)
    await stage.loop.send_due(1_000)
    assert stage.dispatched == ["a", "b"]
    assert stage.loop.message_ids() == set()


async def test_messages_of_a_new_firing_go_out_at_once_and_its_later_ones_wait(stage: Stage) -> None:
    states = {visitor("anna"): PersonState(person("anna"))}
    now, then = (
        message(name, fire_id="fire", visitor_id="anna", due_at=at) for name, at in (("a", 1_000), ("b", 1_001))
    )
    decided = stage.loop.decide_at_once([now, then], states, {}, 1_000)
    assert [one.message for one in decided] == [now]
    assert stage.loop.message_ids() == {"a"}
    await stage.loop.deliver(decided, [fire()], [now, then])
    assert stage.stored == [([fire()], [now, then])]
    assert (stage.dispatched, stage.loop.message_ids()) == (["a"], {"b"})


async def test_a_new_firing_that_cannot_be_stored_leaves_no_message_behind(stage: Stage) -> None:
    def fail() -> None:
        raise JournalError("the disk is full")

    stage.on_dispatch = fail
    decided = stage.loop.decide_at_once(
        [message("a", visitor_id="anna")], {visitor("anna"): PersonState(person("anna"))}, {}, 1_000
    )
    with pytest.raises(JournalError):
        await stage.loop.deliver(decided, [fire()], [decided[0].message])
    assert stage.loop.message_ids() == set()


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
    shop, free, find = embedded_shop, threading.Event(), RuleVersions.of
    deciding = threading.Event()

    def slow(*arguments: Any) -> Any:
        deciding.set()
        free.wait()
        return find(*arguments)

    def fired_for(visitor: str) -> bool:
        return visitor in {fire[1] for fire in shop.fires()}

    monkeypatch.setattr(RuleVersions, "of", slow)
    shop.rule("lingers", HOVER + "    after: 1s\n")
    worker = shop.new_worker()
    running = asyncio.create_task(worker.run())
    try:
        for visitor in ("anna", "bob"):
            shop.happens("hover", visitor, duration_ms=3000)
            shop.now_ms += 100
            worker.wake()
            await until(partial(fired_for, visitor))
            shop.now_ms += 1_000
            await until(deciding.is_set)
        assert shop.sent() == []
        free.set()
        await until(lambda: sorted(shop.sent()) == ["anna", "bob"])
    finally:
        free.set()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

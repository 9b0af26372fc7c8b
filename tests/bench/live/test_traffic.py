"""Against a stub that answers at once: what is sent, and what is made of the answers."""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections import Counter
from typing import NamedTuple

import pytest

from bench.live import traffic
from bench.live.bodies import iso_time, prepare
from bench.live.outcome import Outcome
from bench.live.traffic import Load, Phase, Traffic
from bench.live.visitors import Kind
from bench.shop import new_visitor, store, stored_visitor, uuid7
from tests.bench.live.stub_collector import StubCollector, running_stub
from warehouse.browser_id import is_proven
from warehouse.connection import Warehouse
from warehouse.migrations import migrate

RATE = 400
STORED = 50
STORED_IDS = {stored_visitor(number) for number in range(STORED)}


def send(stub: StubCollector, **other: float) -> Outcome:
    phases = [Phase(seconds=seconds, pages=20, probes=30) for seconds in (1.0, 2.0)]
    load = Load(rate=RATE, warm_up=phases[0], measured=phases[1], stored_visitors=STORED, **other)
    return Traffic(stub.port, load).run(begin=lambda: None, end=lambda: None)


def batch(request: bytes) -> dict[str, object]:
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length
    assert int(length[1]) == len(body)
    decoded: dict[str, object] = json.loads(body)
    return decoded


class Sent(NamedTuple):
    """What was sent to a collector that answers everything, and what was made of its answers."""

    outcome: Outcome
    bodies: list[bytes]


@pytest.fixture(scope="module")
def sent() -> Sent:
    with running_stub() as stub:
        return Sent(send(stub), stub.bodies)


def test_events_come_at_the_rate_and_every_probe_gets_its_banner(sent: Sent) -> None:
    outcome = sent.outcome
    assert outcome.events == pytest.approx(RATE * 2, rel=0.02)
    assert outcome.unanswered == 0
    assert not outcome.refused
    waits = outcome.banner_ms()
    assert len(waits) > 40
    assert max(waits) < math.inf
    assert all(outcome.banner_ms(kind) for kind in Kind)


def test_requests_are_what_they_say_and_of_the_stated_mix(sent: Sent) -> None:
    requests = [batch(body) for body in sent.bodies]
    visitors = Counter[str]()
    seen: dict[str, int] = {}
    ids: list[str] = []
    for request in requests:
        events = request["batch"]
        assert isinstance(events, list)
        assert 1 <= len(events) <= 3
        (visitor,) = {event["anonymousId"] for event in events}
        kind = "known" if visitor in seen else "returning" if visitor in STORED_IDS else "newborn"
        visitors[kind] += 1
        seen[visitor] = 1
        ids += [event["messageId"] for event in events]
        times = [event["timestamp"] for event in events]
        assert times == sorted(times)
        assert times[-1] < str(request["sentAt"])
    assert len(set(ids)) == len(ids)
    shares = {kind: count / len(requests) for kind, count in visitors.items()}
    assert shares == pytest.approx({"newborn": 0.4, "known": 0.5, "returning": 0.1}, abs=0.08)


def test_a_server_that_refuses_is_reported_and_its_banners_count_as_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "SETTLE_SECONDS", 0.2)
    with running_stub(refuses_from=250) as stub:
        outcome = send(stub, page_seconds=1.0)
    assert outcome.refused[503] > 50
    assert math.inf in outcome.banner_ms()


def test_a_filled_request_is_json_with_the_ids_and_times_that_it_was_given() -> None:
    (request, *_) = prepare(random.Random(1), 3, first=True, measured=True)
    ids = [uuid7(1_800_000_000_000, number) for number in range(3)]
    filled = request.fill(b"v" * 36, [each.encode() for each in ids], 1_800_000_000_000, 42)
    events = batch(filled)["batch"]
    assert isinstance(events, list)
    assert [event["messageId"] for event in events] == ids
    assert [event["event"] for event in events] == ["page_view", "view_item", "add_to_cart"]
    assert events[2]["properties"]["probe"] == "00000042"


def test_events_count_while_their_cost_does_and_replies_by_when_they_were_due() -> None:
    outcome = Outcome()
    outcome.acknowledge(1.0, 1.1, 3)
    outcome.begin(2.0)
    outcome.acknowledge(1.9, 2.1, 2)
    outcome.acknowledge(2.0, 2.5, 1)
    outcome.end()
    outcome.acknowledge(2.2, 2.7, 3)
    assert outcome.events == 3
    assert outcome.acknowledge_ms == pytest.approx([500, 500])


def test_an_instant_is_written_in_utc() -> None:
    assert iso_time(1_700_000_000_123) == b"2023-11-14T22:13:20.123Z"


def test_an_id_says_when_it_was_born() -> None:
    now_ms = time.time_ns() // 1_000_000
    written = uuid7(now_ms, 5)
    assert int(written.replace("-", "")[:12], 16) == now_ms
    assert written[14] == "7"


def test_a_queue_that_grows_shows_in_the_last_quarter() -> None:
    outcome = Outcome()
    for second in range(40):
        probe = outcome.probe(outcome.add_probe(Kind.KNOWN, float(second)))
        probe.arrived = second + 0.1 * second
    assert outcome.growth() > 2


def test_a_stored_visitor_is_named_by_the_database_as_here(embedded_warehouse: Warehouse) -> None:
    migrate(embedded_warehouse)
    store(embedded_warehouse, 12, 4)
    found = {visitor for (visitor,) in embedded_warehouse.query("SELECT DISTINCT visitor_id FROM events")}
    assert found == {stored_visitor(number) for number in range(4)}


def test_a_request_shows_the_secret_of_its_visitor() -> None:
    (request, *_) = prepare(random.Random(1), 1)
    visitor = new_visitor(1_800_000_000_000, 7)
    sent = batch(request.fill(visitor, [b"i" * 36], 1_800_000_000_000))
    assert is_proven(visitor.decode(), sent["browserSecret"])

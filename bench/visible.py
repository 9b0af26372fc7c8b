"""Benchmark of the time from a 200 of the collector to the row in ClickHouse."""

from __future__ import annotations

import time
import uuid

import httpx

from bench.figures import summary
from e2e.stack import WRITE_KEY, Stack
from micromoment.engine.client import EngineClient

RUNS = 300
_PAUSE_SECONDS = 0.02
_GIVEN_UP_SECONDS = 10.0


def measure(stack: Stack) -> list[str]:
    """Return the times of single events, sent one after another to an otherwise idle product."""
    engine = EngineClient(stack.folder / "var" / "run" / "engine.sock")
    acknowledged: list[float] = []
    visible: list[float] = []
    with httpx.Client(base_url=stack.collector_url) as http:
        for _ in range(RUNS):
            event_id = str(uuid.uuid4())
            sent = time.perf_counter()
            http.post("/v1/track", json=_message(event_id)).raise_for_status()
            answered = time.perf_counter()
            _wait_until_stored(engine, event_id)
            acknowledged.append((answered - sent) * 1000)
            visible.append((time.perf_counter() - answered) * 1000)
            time.sleep(_PAUSE_SECONDS)
    engine.close()
    return [
        summary("sent -> acknowledged (on disk)", acknowledged, (0.5, 0.99)),
        summary("acknowledged -> row visible in ClickHouse", visible, (0.5, 0.99)),
    ]


def _message(event_id: str) -> dict[str, object]:
    return {"writeKey": WRITE_KEY, "messageId": event_id, "anonymousId": "bench", "event": "bench_visible"}


def _wait_until_stored(engine: EngineClient, event_id: str) -> None:
    query = "SELECT count() FROM events WHERE site = 'demo' AND visitor_id = 'bench' AND event_id = {id:String}"
    deadline = time.perf_counter() + _GIVEN_UP_SECONDS
    while engine.export(query, "TSV", parameters={"id": event_id}).strip() != b"1":
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{event_id} is not in ClickHouse after {_GIVEN_UP_SECONDS} s")
        time.sleep(0.001)

"""Pages that send events to a collector at an even rate."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from typing import Any, Final

import httpx

from bench.shop import CATEGORIES, NAMES

#: The first events count for nothing: everything is new to everybody.
WARM_UP_SECONDS: Final = 10
#: Visitors at a time. Each comes with a month of history, sends `EVENTS_PER_VISIT` and leaves to another.
VISITORS: Final = 1_000
EVENTS_PER_VISIT: Final = 30
EVENTS_PER_BATCH: Final = 5
#: A collector that is overloaded is slow, which is measured, too.
REPLY_SECONDS: Final = 120.0


async def send(url: str, write_key: str, stored_visitors: int, rate: int, seconds: int) -> dict[str, float]:
    """Send events at an even rate; return when each was acknowledged, epoch milliseconds, but for the warm-up's.

    Args:
        url: where the collector is.
        write_key: the site's.
        stored_visitors: how many have a history; visitors are chosen among them.
        rate: events a second.
        seconds: how long, after the warm-up.
    """
    choose = random.Random(7)
    visits = [_visitor(choose, stored_visitors) for _ in range(VISITORS)]
    acknowledged: dict[str, float] = {}
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with (
        httpx.AsyncClient(base_url=url, timeout=REPLY_SECONDS, limits=limits) as http,
        asyncio.TaskGroup() as sending,
    ):
        started = time.monotonic()
        for number in range((WARM_UP_SECONDS + seconds) * rate // EVENTS_PER_BATCH):
            due = started + number * EVENTS_PER_BATCH / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            place = choose.randrange(VISITORS)
            if choose.random() < EVENTS_PER_BATCH / EVENTS_PER_VISIT:
                visits[place] = _visitor(choose, stored_visitors)
            batch = [_event(choose, visits[place]) for _ in range(EVENTS_PER_BATCH)]
            counts = due - started >= WARM_UP_SECONDS
            sending.create_task(_post(http, {"writeKey": write_key, "batch": batch}, acknowledged if counts else {}))
    return acknowledged


async def _post(http: httpx.AsyncClient, batch: dict[str, Any], acknowledged: dict[str, float]) -> None:
    answer = await http.post("/v1/batch", json=batch)
    answer.raise_for_status()
    acknowledged |= dict.fromkeys((event["messageId"] for event in batch["batch"]), time.time() * 1000)


def _visitor(choose: random.Random, stored: int) -> str:
    return f"visitor-{choose.randrange(stored)}"


def _event(choose: random.Random, visitor: str) -> dict[str, Any]:
    category, price = f"c{choose.randrange(CATEGORIES)}", float(choose.randrange(1000))
    return {
        "type": "track",
        "event": choose.choice(NAMES),
        "messageId": str(uuid.UUID(int=choose.getrandbits(128), version=4)),
        "anonymousId": visitor,
        "properties": {
            "category": category,
            "price": price,
            "value": price,
            "duration_ms": choose.choice([1000, 3000, 10_000, 180_000]),
            "path": f"/{category}/{choose.randrange(50)}",
            "colour": "red",
        },
    }

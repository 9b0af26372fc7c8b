"""Innocent visitors: they send events, open a stream, and are answered with banners; each answer is timed."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Final

from bench.soak.http import Connection, post
from bench.soak.stranger import Browser

ADDRESS: Final = "127.0.0.3"
#: Visitors a second, each of whom sends three events.
VISITORS_A_SECOND: Final = 10
_BANNER_WITHIN_SECONDS: Final = 30.0


@dataclass
class Seen:
    """What innocent visitors saw: times in ms, and what failed."""

    acknowledged_ms: list[float] = field(default_factory=list)
    banner_ms: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def visit(port: int, seconds: float) -> Seen:
    """Send visitors at an even rate until the time is over, and return what they saw."""
    seen = Seen()
    begin = time.monotonic()
    visits: list[asyncio.Task[None]] = []
    for number in range(int(seconds * VISITORS_A_SECOND)):
        await asyncio.sleep(max(0.0, begin + number / VISITORS_A_SECOND - time.monotonic()))
        visits.append(asyncio.create_task(_visit(port, seen)))
    await asyncio.gather(*visits)
    return seen


async def _visit(port: int, seen: Seen) -> None:
    sender, listener, browser = Connection(port, ADDRESS), Connection(port, ADDRESS), Browser()
    try:
        token = await _track(sender, browser, "page_view", seen)
        blocks = await listener.listen(token)
        await asyncio.sleep(0.3)
        began = time.perf_counter()
        await _track(sender, browser, "hover", seen)
        async with asyncio.timeout(_BANNER_WITHIN_SECONDS):
            await blocks.readuntil(b"data:")
        seen.banner_ms.append((time.perf_counter() - began) * 1000)
        await _track(sender, browser, "view_item", seen)
    except Exception as error:  # noqa: BLE001 - each failure of whatever kind is a figure
        seen.failed.append(f"{type(error).__name__}: {error}")
    finally:
        sender.close()
        listener.close()


async def _track(sender: Connection, browser: Browser, event: str, seen: Seen) -> str:
    body = {**browser.fields, "event": event, "messageId": secrets.token_hex(8)}
    began = time.perf_counter()
    status, answer = await sender.ask(post("/v1/track", json.dumps(body).encode()))
    if status != 200:
        raise ConnectionError(f"{event} was answered {status}: {answer[:100].decode()}")
    seen.acknowledged_ms.append((time.perf_counter() - began) * 1000)
    return str(json.loads(answer)["token"])

"""One anonymous client at its limits: the worst requests that are known, as many as it may make.

A process of its own, `python -m bench.soak.stranger PORT SECONDS`; prints how its requests were answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from bench.soak.http import Connection, get, listen_with, post
from warehouse.browser_id import make_browser_id

ADDRESS: Final = "127.0.0.2"
WRITE_KEY: Final = "soak-key"
_CONNECTIONS: Final = 12
#: Connections that send a body as slowly as they can, and streams that are held open.
_TRICKLING: Final = 60
_STREAMS: Final = 200
#: How long one waits that was told to: less than it was told.
_PAUSE_SECONDS: Final = 0.2

#: How old the ids are of visitors whom nobody can take for newborn.
_LONG_AGO_MS: Final = 86_400_000

Answers = Counter[str]


class Browser:
    """A browser that has just made its id, or made it so long ago.

    Args:
        age_ms: how long ago.
    """

    def __init__(self, age_ms: int = 0) -> None:
        secret = secrets.token_urlsafe(24)
        name = make_browser_id(time.time_ns() // 1_000_000 - age_ms, secret)
        self.fields: Final = {"writeKey": WRITE_KEY, "anonymousId": name, "browserSecret": secret}


def _body(events: Sequence[object], **fields: object) -> bytes:
    return json.dumps({"writeKey": WRITE_KEY, "batch": events, **fields}).encode()


def _visitors(count: int, event: str, **fields: object) -> list[dict[str, object]]:
    """Return an event of each of so many visitors whom nobody knows."""
    names = (f"{random.getrandbits(64):x}" for _ in range(count))
    return [{"type": "track", "event": event, "anonymousId": name, **fields} for name in names]


_ZEROS: Final[bytes] = gzip.compress(b'{"writeKey":"%s","batch":[0' % WRITE_KEY.encode() + b",0" * 1_000_000 + b"]}", 9)
_ITEMS: Final[dict[str, object]] = {"items": [{"id": number, "a": [[[[{}]]]]} for number in range(1000)]}
#: The worst requests, by name; each call makes another one, with other visitors.
WORST: Final[dict[str, Callable[[], bytes]]] = {
    "2,500 events that fire a rule, of 2,500 visitors": lambda: post(
        "/v1/batch", gzip.compress(_body(_visitors(2500, "hover")), 1)
    ),
    "600 such in 60 KB": lambda: post("/v1/batch", _body(_visitors(600, "hover"))),
    "an event that fires a rule": lambda: post(
        "/v1/track", json.dumps({"writeKey": WRITE_KEY, **_visitors(1, "hover")[0]}).encode()
    ),
    "a million zeros": lambda: post("/v1/batch", _ZEROS),
    "1,400 user agents": lambda: post("/v1/batch", gzip.compress(_agents(), 1)),
    "percent signs": lambda: post("/v1/batch", b"data=" + b"%" * 400_000),
    "items": lambda: post("/v1/batch", gzip.compress(_body(_visitors(60, "x", properties=_ITEMS)), 1)),
    "a wrong key": lambda: post("/v1/batch", b"{" + b" " * 400_000, b"X-Write-Key: ?"),
    "a forged stream": lambda: listen_with("x" * 2000),
    "nowhere": lambda: get("/nowhere"),
}


def _agents() -> bytes:
    agents = [f"Mozilla/5.0 {random.random()} {'; ;' * 150}" for _ in range(1400)]
    return _body([{"type": "page", "anonymousId": "a", "context": {"userAgent": agent}} for agent in agents])


async def attack(port: int, seconds: float) -> Answers:
    """Send the worst requests until the time is over, and return how many were answered how."""
    answers: Answers = Counter()
    until = time.monotonic() + seconds
    kinds = itertools.cycle(WORST.items())
    senders = [_send(port, until, kinds, answers) for _ in range(_CONNECTIONS)]
    slow = [_trickle(port, until, answers) for _ in range(_TRICKLING)]
    held = [_hold(port, until, answers) for _ in range(_STREAMS)]
    await asyncio.gather(*senders, *slow, *held)
    return answers


async def _send(port: int, until: float, kinds: Iterator[tuple[str, Callable[[], bytes]]], answers: Answers) -> None:
    connection = Connection(port, ADDRESS)
    for name, make in kinds:
        if time.monotonic() >= until:
            break
        try:
            status, _ = await connection.ask(make())
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            answers[f"{name}: {type(error).__name__}"] += 1
            continue
        answers[f"{name}: {status}"] += 1
        if status == 429:
            await asyncio.sleep(_PAUSE_SECONDS)
    connection.close()


async def _trickle(port: int, until: float, answers: Answers) -> None:
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(ADDRESS, 0))
            writer.write(b"POST /v1/batch HTTP/1.1\r\nHost: soak\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(30):
                writer.write(b"{")
                await asyncio.sleep(1)
                if reader.at_eof() or writer.is_closing() or time.monotonic() >= until:
                    break
            answers["trickling bodies"] += 1
            writer.close()


async def _hold(port: int, until: float, answers: Answers) -> None:
    """Hold the stream of a visitor open whom nobody knows."""
    while time.monotonic() < until:
        connection = Connection(port, ADDRESS)
        try:
            event = json.dumps({**Browser(_LONG_AGO_MS).fields, "event": "x"}).encode()
            status, body = await connection.ask(post("/v1/track", event))
            if status == 200:
                await Connection(port, ADDRESS).listen(json.loads(body)["token"])
                answers["streams held"] += 1
                await asyncio.sleep(max(0.0, until - time.monotonic()))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            answers["streams refused"] += 1
        connection.close()
        await asyncio.sleep(1)


if __name__ == "__main__":
    for kind, count in sorted(asyncio.run(attack(int(sys.argv[1]), float(sys.argv[2]))).items()):
        print(f"{count:8,} {kind}")

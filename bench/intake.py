"""What the collector's intake costs for an event: from the body of a request to encoded rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from typing import Final

from bench.live.saturation import batches, new_visitors
from collector.intake import pipeline
from collector.intake.body import read_batch
from collector.intake.draft import Receipt
from collector.intake.sender_clock import ClientClocks
from collector.sites import Site

REQUESTS: Final = 300
ROUNDS: Final = 15
#: A browser sends one to three events, a busy page or a server ten.
EVENTS_IN_A_REQUEST: Final = (1, 3, 10)
_SITE: Final = Site("shop", "bench")
_AGENT: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)


def measure() -> list[str]:
    """Return us of processor for an event, of the intake and of decoding alone."""
    lines = []
    for events in EVENTS_IN_A_REQUEST:
        bodies = [
            request.partition(b"\r\n\r\n")[2] for request in islice(batches(new_visitors(1_000), events), REQUESTS)
        ]
        took = _cost(_take, bodies) / events
        decoded = _cost(read_batch, bodies) / events
        lines.append(f"body -> encoded rows, {events} in a request: {took:.1f} us an event ({decoded:.1f} us the body)")
    return lines


#: As in the collector, which knows the clocks of whoever sent before.
_CLOCKS: Final = ClientClocks()


def _take(body: bytes) -> None:
    now_ms = time.time_ns() // 1_000_000
    batch = read_batch(body)
    receipt = Receipt(now_ms, batch.sent_at, browser_secret=batch.browser_secret, user_agent=_AGENT)
    outcome = pipeline.run(batch.batch, _SITE, receipt, batch.context or {}, _CLOCKS)
    if outcome.drops or len(outcome.lines) != len(batch.batch):
        raise RuntimeError(f"events were dropped: {outcome.drops[:3]}")


def _cost(work: Callable[[bytes], object], bodies: list[bytes]) -> float:
    """Return us of processor for one call, in the quickest of some rounds: what else runs only adds to it."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for body in bodies:
            work(body)
        rounds.append((time.process_time() - started) / len(bodies) * 1e6)
    return min(rounds)

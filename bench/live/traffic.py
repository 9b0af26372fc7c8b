"""An open load: requests at planned instants, whatever the server does, and pages that listen for banners."""

from __future__ import annotations

import gc
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Final

from bench.live.bodies import Request, prepare
from bench.live.outcome import Outcome
from bench.live.visitors import Crowd, Kind, Page
from bench.live.wire import Requests, Stream, Wire
from bench.shop import uuid7

#: The mix of a shop, by requests.
SHOP_MIX: Final = {Kind.NEWBORN: 0.4, Kind.KNOWN: 0.5, Kind.RETURNING: 0.1}
#: A browser's requests have one to three events, as many of each.
EVENTS_PER_REQUEST: Final = 2.0
SIZES: Final = (1, 2, 3)
#: Of the known visitors' requests without a probe, the share that comes from open pages.
ON_PAGES_SHARE: Final = 0.5
#: How long what is under way may take to arrive once all is sent, in seconds.
SETTLE_SECONDS: Final = 10.0
_BANNER: Final = re.compile(rb"probe=(\d{8});")
#: A banner's mark that was cut off is at most so long, in bytes.
_MARK_BYTES: Final = 14
_OPEN: Final = b": open"


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of a load.

    Args:
        seconds: how long.
        mix: the share of each kind of visitor, by requests.
        pages: how many visitors a second stay on a page with an open stream; each one's first request is a probe.
        probes: how many requests a second, of known visitors on open pages, are probes.
    """

    seconds: float
    mix: Mapping[Kind, float] = field(default_factory=lambda: SHOP_MIX)
    pages: float
    probes: float


@dataclass(frozen=True, kw_only=True)
class Load:
    """Events at an even rate: a warm-up, then what is measured.

    Args:
        rate: events a second.
        warm_up: what counts for nothing: in it, everything is new to everybody.
        measured: what counts.
        stored_visitors: how many visitors have a stored history.
        page_seconds: how long a visitor stays on a page with an open stream.
    """

    rate: int
    warm_up: Phase
    measured: Phase
    stored_visitors: int
    page_seconds: float = 20.0


class Traffic:
    """Sends one load.

    Args:
        port: where the collector listens.
        load: what to send.
    """

    def __init__(self, port: int, load: Load) -> None:
        self.outcome = Outcome()
        self.wire = Wire(port)
        self._load = load
        self._choose = random.Random(7)
        self._crowd = Crowd(self._choose, load.stored_visitors)
        self._requests = Requests(self.wire)
        self._numbers = count(1)
        self._plain = {size: prepare(self._choose, size) for size in SIZES}
        self._first = {size: prepare(self._choose, size, first=True) for size in SIZES}
        self._probing = prepare(self._choose, 2, measured=True)
        self._probing_first = prepare(self._choose, 3, first=True, measured=True)

    def run(self, begin: Callable[[], None], end: Callable[[], None]) -> Outcome:
        """Send the load and return what became of it.

        Args:
            begin: called once the warm-up is over.
            end: called once all is sent, before what is under way has settled.
        """
        with undisturbed():
            planned = self._send_phase(self._load.warm_up, time.monotonic() + 0.1)
            self.outcome.begin(planned)
            begin()
            self._send_phase(self._load.measured, planned)
            end()
            self.outcome.end()
            self._settle()
        self.wire.close()
        return self.outcome

    def _send_phase(self, phase: Phase, begin: float) -> float:
        """Send a phase's requests, and return the instant at which it ends by plan."""
        sent, total, rate = 0, phase.seconds * self._load.rate, self._load.rate
        while sent < total:
            due = begin + sent / rate
            self._wait_until(due)
            sent += self._send(phase, due)
        return begin + total / rate

    def _wait_until(self, due: float) -> None:
        left = due - time.monotonic()
        while left > 0:
            self.wire.poll(left)
            left = due - time.monotonic()
        if left < -0.001:
            self.wire.poll(0)
        now = time.monotonic()
        self._crowd.leave(now)
        self.outcome.late_ms.append((now - due) * 1000)

    def _send(self, phase: Phase, due: float) -> int:
        """Send the next request, and return its number of events."""
        kind, visitor, is_probe = self._next_visitor(phase)
        now_ms = time.time_ns() // 1_000_000
        request = self._request(kind, is_probe=is_probe)
        probe = self.outcome.add_probe(kind, due) if is_probe else 0
        ids = [uuid7(now_ms, next(self._numbers)).encode() for _ in range(request.events)]
        data = request.fill(visitor, ids, now_ms, probe)
        self._requests.send(data, partial(self._answer, due, kind, visitor, probe, request.events))
        return request.events

    def _next_visitor(self, phase: Phase) -> tuple[Kind, bytes, bool]:
        """Return a kind of visitor, an id, and whether the request is a probe."""
        requests = self._load.rate / EVENTS_PER_REQUEST
        newborn, known = phase.mix.get(Kind.NEWBORN, 0.0), phase.mix.get(Kind.KNOWN, 0.0)
        drawn, draw = self._choose.random(), self._choose.random()
        if drawn >= 1 - known:
            is_probe = draw * requests * known < phase.probes
            on_page = is_probe or self._choose.random() < ON_PAGES_SHARE
            visitor = self._crowd.known_on_page() if on_page else None
            if visitor is not None:
                return Kind.KNOWN, visitor, is_probe
            visitor = self._crowd.known()
            if visitor is not None:
                return Kind.KNOWN, visitor, False
            drawn *= 1 - known  # nobody is known yet
        is_probe = draw * requests * (1 - known) < phase.pages
        if drawn < newborn:
            return Kind.NEWBORN, self._crowd.newborn(time.time_ns() // 1_000_000), is_probe
        return Kind.RETURNING, self._crowd.returning(), is_probe

    def _request(self, kind: Kind, *, is_probe: bool) -> Request:
        if is_probe:
            return self._choose.choice(self._probing if kind is Kind.KNOWN else self._probing_first)
        prepared = self._plain if kind is Kind.KNOWN else self._first
        return self._choose.choice(prepared[self._choose.choice(SIZES)])

    def _answer(
        self, due: float, kind: Kind, visitor: bytes, probe: int, events: int, status: int, reply: bytes
    ) -> None:
        at = time.monotonic()
        if status != 200:
            self.outcome.refused[status] += 1
            return
        self.outcome.acknowledge(due, at, events)
        if probe:
            self.outcome.probe(probe).acknowledged = at
        self._note_banners(reply, at)
        if kind is Kind.KNOWN:
            return
        if probe:
            self._open_page(visitor, read_token(reply), at)
        else:
            self._crowd.remember(visitor)

    def _open_page(self, visitor: bytes, token: bytes, now: float) -> None:
        page = Page(visitor, now + self._load.page_seconds)
        page.stream = Stream(self.wire, token, partial(self._hear, page))
        self.outcome.open_page()

    def _hear(self, page: Page, data: bytes) -> None:
        at = time.monotonic()
        if _OPEN in data:
            self._crowd.enter(page)
        elif data.startswith(b"HTTP/1.1 ") and data[9:12] != b"200":
            self.outcome.refused[int(data[9:12])] += 1
        received = page.unread + data
        self._note_banners(received, at)
        page.unread = received[-_MARK_BYTES:]

    def _note_banners(self, received: bytes, at: float) -> None:
        if b"probe=" in received:
            for found in _BANNER.finditer(received):
                self.outcome.arrive(int(found[1]), at)

    def _settle(self) -> None:
        """Wait until everything that is under way has arrived, or `SETTLE_SECONDS` are over."""
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until and (self._requests.under_way or self.outcome.waits):
            self.wire.poll(0.05)
        self.outcome.unanswered = self._requests.under_way


@contextmanager
def undisturbed() -> Iterator[None]:
    """Run the block without collections of garbage, and before every other process where the system allows that.

    What the generator takes is little, and an instant that it notes late is an error of the measurement.
    """
    gc.collect()
    gc.disable()
    try:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        gc.enable()


def read_token(reply: bytes) -> bytes:
    """Return the token in the reply to one visitor's batch; it opens the visitor's stream."""
    start = reply.index(b'"token":"') + 9
    return reply[start : reply.index(b'"', start)]

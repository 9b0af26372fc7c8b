"""One clock for all processes of an installation: that of ClickHouse, which stamps the feed.

A machine whose clock differs would have every event happen hours ago or hours ahead, and rules would be silent for as
long. So the difference is measured, told, and taken off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from micromoment.serving import running
from warehouse.errors import WarehouseError
from warehouse.threads import Threads

#: A smaller difference is left as it is: two machines that keep time differ by less, and a measurement is not exact.
TOLERATED_MS: Final = 1_000
#: An answer that took longer tells too little of the clock.
MAX_ROUND_TRIP_MS: Final = 1_000
MEASURED_SECONDS: Final = 30.0
_log = structlog.get_logger("micromoment.roles.clock")


def local_ms() -> int:
    """Return the time of this machine's clock, epoch ms."""
    return time.time_ns() // 1_000_000


class SharedClock:
    """The time of ClickHouse's clock, as this machine knows it.

    Args:
        read: asks ClickHouse for its time, epoch ms; None where it is this machine's own.
        local: returns the time of this machine's clock, epoch ms.
    """

    def __init__(self, read: Callable[[], int] | None = None, local: Callable[[], int] = local_ms) -> None:
        self._read = read
        self._local = local
        self._threads = Threads("clock", 1)
        #: What this machine's clock is behind by, ms; less than 0 where it is ahead.
        self.behind_ms = 0
        self._correction_ms = 0

    def now_ms(self) -> int:
        """Return the present, epoch ms."""
        return self._local() + self._correction_ms

    def state(self) -> str:
        """Return 'ok', or by how much this machine's clock is wrong."""
        if not self._correction_ms:
            return "ok"
        word = "behind" if self._correction_ms > 0 else "ahead of"
        return f"{abs(self._correction_ms) / 1000:.1f} s {word} ClickHouse's, which is taken off: keep both in time"

    async def measure(self) -> None:
        """Compare the clocks, and correct this one where they differ; nothing changes while ClickHouse is away.

        Cost: one query that reads no table.
        """
        if self._read is None:
            return
        asked_at = self._local()
        try:
            there = await self._threads.run(self._read)
        except WarehouseError:
            return
        answered_at = self._local()
        if 0 <= answered_at - asked_at <= MAX_ROUND_TRIP_MS:
            self._note(there - (asked_at + answered_at) // 2)

    async def run(self) -> None:
        """Compare the clocks again and again, until cancelled."""
        while True:
            await asyncio.sleep(MEASURED_SECONDS)
            await self.measure()

    def close(self) -> None:
        """End the thread."""
        self._threads.close()

    def _note(self, behind_ms: int) -> None:
        self.behind_ms = behind_ms
        wrong_before = self._correction_ms
        if abs(behind_ms - wrong_before) <= TOLERATED_MS and (wrong_before or abs(behind_ms) <= TOLERATED_MS):
            return
        self._correction_ms = behind_ms if abs(behind_ms) > TOLERATED_MS else 0
        if self._correction_ms:
            _log.warning(
                "clock_differs",
                behind_seconds=behind_ms / 1000,
                remedy="the difference is taken off; keep the clocks of all machines in time, by NTP for example",
            )
        else:
            _log.info("clock_agrees")


@asynccontextmanager
async def open_clock(read: Callable[[], int] | None, registry: CollectorRegistry) -> AsyncIterator[SharedClock]:
    """Open the clock, compared once, and compare it until the block ends.

    Args:
        read: asks ClickHouse for its time, epoch ms; None where it is this machine's own.
        registry: shows the difference.
    """
    clock = SharedClock(read)
    figure = Gauge(
        "micromoment_clock_behind_seconds",
        "What this machine's clock is behind ClickHouse's by; less than 0 where it is ahead. It is taken off.",
        registry=registry,
    )
    figure.set_function(lambda: clock.behind_ms / 1000)
    try:
        await clock.measure()
        async with running(clock.run(), "clock"):
            yield clock
    finally:
        clock.close()

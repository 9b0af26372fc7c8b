"""Messages on their way to Redis: a bounded queue, and the one task that sends what waits in it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from redis.asyncio import Redis

from micromoment.roles.bus import BusMetrics, present_ms
from micromoment.roles.redis_client import TROUBLE, Backoff, asking
from micromoment.roles.redis_state import RedisState

MAX_WAITING: Final = 10_000
MAX_WAITING_BYTES: Final = 32 * 1024 * 1024
#: Most messages and bytes of one round trip; the last message may be larger.
MAX_SENT_TOGETHER: Final = 1_000
MAX_BYTES_TOGETHER: Final = 1024 * 1024
#: Seconds between two round trips: each costs a quarter of a millisecond of processor, however little it carries.
REST_SECONDS: Final = 0.004
#: Seconds without a message after which Redis is asked whether it is still there.
PING_SECONDS: Final = 2.0
#: Least seconds between two words to listeners that messages of one kind were lost.
GAP_INTERVAL_SECONDS: Final = 1.0


class Outbound(msgspec.Struct, frozen=True):
    """A message on its way to Redis.

    Args:
        kind: what it tells of; whoever listens to this kind is told when one was lost.
        channel: the channel of Redis that takes it.
        data: its bytes.
    """

    kind: str
    channel: str
    data: bytes


class Outgoing:
    """Sends messages to Redis in the background, and drops what does not fit or cannot be sent.

    What waited when Redis went away is dropped, and so is what comes until it is back: listeners ask ClickHouse then,
    which knows it all, and old messages would only hold up fresh ones.

    Args:
        client: reaches Redis.
        metrics: counts what is dropped, by reason.
        state: told whether messages travel.
        gap_channel: returns the channel on which those who listen to a kind hear that messages of it were lost.
    """

    def __init__(
        self, client: Redis, metrics: BusMetrics, state: RedisState, gap_channel: Callable[[str], str]
    ) -> None:
        self._client = client
        self._metrics = metrics
        self._state = state
        self._gap_channel = gap_channel
        self._waiting: deque[Outbound] = deque()
        self._waiting_bytes = 0
        self._filled = asyncio.Event()
        self._is_away = False
        #: By kind, since when messages were lost of which no listener was told, epoch ms.
        self._lost: dict[str, int] = {}
        self._may_tell_at = 0.0

    def put(self, kind: str, channel: str, encode: Callable[[], bytes]) -> None:
        """Send a message soon, or drop it.

        Args:
            kind: what the message tells of.
            channel: the channel of Redis that takes it.
            encode: returns its bytes; called only when it is not dropped at once.
        """
        if self._is_away:
            self._drop(kind, "away")
            return
        data = encode()
        if len(self._waiting) >= MAX_WAITING or self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            self._drop(kind, "full")
            return
        self._waiting.append(Outbound(kind, channel, data))
        self._waiting_bytes += len(data)
        self._filled.set()

    async def run(self) -> None:
        """Send until cancelled; a Redis that is away is asked again, for as long as it takes."""
        backoff = Backoff()
        idle_seconds = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(idle_seconds):
                    await self._filled.wait()
            batch, gaps = self._take(), self._gaps_to_tell()
            try:
                await self._send(batch, gaps)
            except TROUBLE as error:
                self._go_away(batch, gaps)
                self._state.down("sender", error)
                await backoff.wait()
                idle_seconds = 0.0
            else:
                self._is_away = False
                self._state.up("sender")
                backoff.reset()
                idle_seconds = PING_SECONDS
                await asyncio.sleep(REST_SECONDS)

    async def _send(self, batch: list[Outbound], gaps: Mapping[str, int]) -> None:
        """Send messages in one round trip, or ask whether Redis is there when there are none."""
        async with asking(), self._client.pipeline(transaction=False) as pipeline:
            if not (batch or gaps):
                pipeline.ping()
            for message in batch:
                pipeline.publish(message.channel, message.data)
            for kind, since in gaps.items():
                pipeline.publish(self._gap_channel(kind), b"%d" % since)
            await pipeline.execute()

    def _take(self) -> list[Outbound]:
        batch: list[Outbound] = []
        size = 0
        while self._waiting and len(batch) < MAX_SENT_TOGETHER and size < MAX_BYTES_TOGETHER:
            message = self._waiting.popleft()
            batch.append(message)
            size += len(message.data)
        self._waiting_bytes -= size
        if not self._waiting:
            self._filled.clear()
        return batch

    def _gaps_to_tell(self) -> Mapping[str, int]:
        now = time.monotonic()
        if not self._lost or now < self._may_tell_at:
            return {}
        gaps, self._lost = self._lost, {}
        self._may_tell_at = now + GAP_INTERVAL_SECONDS
        return gaps

    def _go_away(self, batch: list[Outbound], gaps: Mapping[str, int]) -> None:
        self._is_away = True
        self._may_tell_at = 0.0
        self._lost |= gaps
        for message in (*batch, *self._waiting):
            self._drop(message.kind, "away")
        self._waiting.clear()
        self._waiting_bytes = 0
        self._filled.clear()

    def _drop(self, kind: str, reason: str) -> None:
        self._metrics.dropped.labels(reason).inc()
        self._lost.setdefault(kind, present_ms())

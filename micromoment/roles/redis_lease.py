"""The lease of several machines: a key of Redis that its owner renews, and that ends by itself when it does not."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from typing import Any, Final

import msgspec
import structlog
from redis.asyncio import Redis

from micromoment.roles.lease import ASK_AGAIN_SECONDS, WaitNotice, held_by, process_name
from micromoment.roles.redis_client import REMEDY, TROUBLE, asking, is_refused


class LeaseTimes(msgspec.Struct, frozen=True):
    """The times of a lease, in seconds.

    Args:
        ends: after so long without renewal a lease ends in Redis.
        trusted: for so long after its last renewal an owner trusts its lease. What it has begun by then has the rest
            of `ends` to finish before another worker begins.
        renewed: between two renewals.
    """

    ends: float = 10.0
    trusted: float = 8.0
    renewed: float = 2.5


USUAL_TIMES: Final = LeaseTimes()
#: Redis tells its uptime as the difference of two whole seconds, which may be so much more than the truth.
UPTIME_ERROR_SECONDS: Final = 1
_KEY: Final = "micromoment:worker_lease"
_NUMBER_KEY: Final = "micromoment:worker_lease_number"
_log = structlog.get_logger("micromoment.lease")

# A Redis that has just started may have forgotten a lease that its owner still trusts. The number also follows the
# clock of Redis, so that it grows even when Redis forgot the last one.
_ACQUIRE: Final = """
local value, lease_ms, least_uptime_s = ARGV[1], ARGV[2], tonumber(ARGV[3])
local holder = redis.call('GET', KEYS[1])
if holder then return {'held', holder} end
local uptime_s = tonumber(string.match(redis.call('INFO', 'server'), 'uptime_in_seconds:(%d+)'))
if uptime_s < least_uptime_s then return {'young', tostring(uptime_s)} end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local number = string.format('%.0f', math.max(last + 1, now[1] * 1000 + math.floor(now[2] / 1000)))
redis.call('SET', KEYS[2], number)
redis.call('SET', KEYS[1], value, 'PX', lease_ms)
return {'acquired', number}
"""
# The key of an owner whose number is still the last one, or that Redis has forgotten, is set again: nobody else was
# owner in between.
_RENEW: Final = """
local value, lease_ms, number = ARGV[1], ARGV[2], ARGV[3]
local holder, last = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if holder and holder ~= value then return 0 end
if not holder and last and last ~= number then return 0 end
redis.call('SET', KEYS[2], number)
redis.call('SET', KEYS[1], value, 'PX', lease_ms)
return 1
"""
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class RedisLease:
    """The lease in Redis, renewed in the background until it is released or lost.

    While Redis does not answer, the owner trusts its lease for a while, then takes it for lost. While Redis is plainly
    not there, its address refusing every connection, nobody can get the lease, and the owner keeps it: who waits gets
    it no sooner than Redis has been there for as long as a lease takes to end, and by then the owner has renewed it or
    takes it for lost.

    Args:
        client: reaches Redis.
        on_lost: called once when the lease is lost.
        times: the times of the lease, the same for all workers.
    """

    def __init__(self, client: Redis, on_lost: Callable[[], None], times: LeaseTimes) -> None:
        self._client = client
        self._on_lost = on_lost
        self._times = times
        self._value = f"{uuid.uuid4().hex} {process_name()}"
        self._number = 0
        self._trusted_until = 0.0
        self._keeper: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """Return the fencing number."""
        return self._number

    async def acquire(self) -> None:
        """Wait until no other worker has the lease, and until Redis has been there as long as one may be trusted."""
        notice = WaitNotice()
        while True:
            asked_at = time.monotonic()
            try:
                outcome, detail = await self._ask(_ACQUIRE, str(ceil(self._times.ends) + UPTIME_ERROR_SECONDS))
            except TROUBLE as error:
                notice.tell(f"Redis does not answer: {error}", REMEDY)
            else:
                if outcome == b"acquired":
                    break
                notice.tell(*_why_not(outcome, detail.decode()))
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        self._number = int(detail)
        self._trusted_until = asked_at + self._times.trusted
        self._keeper = asyncio.create_task(self._keep(), name="worker lease")
        _log.info("lease_acquired", number=self._number)

    def is_held(self) -> bool:
        """Tell whether the lease was renewed so recently that no other worker can have it."""
        return time.monotonic() < self._trusted_until

    async def release(self) -> None:
        """Renew no more, and give the lease to whoever waits; a Redis that does not answer lets it run out."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        self._keeper = None
        self._trusted_until = 0.0
        with suppress(*TROUBLE):
            await self._ask(_RELEASE)

    async def _keep(self) -> None:
        """Renew until the lease is lost."""
        is_told = False
        while True:
            asked_at = time.monotonic()
            try:
                is_renewed = await self._ask(_RENEW, str(self._number))
            except TROUBLE as error:
                goes_on = await is_refused(self._client)
                if not is_told:
                    _log.warning("lease_not_renewed", error=str(error), goes_on=goes_on, remedy=REMEDY)
                is_told, wait = True, ASK_AGAIN_SECONDS
            else:
                if not is_renewed:
                    return self._lose("another worker has it")
                goes_on, is_told, wait = True, False, self._times.renewed
            if not self.is_held():
                return self._lose("it could not be renewed in time")
            if goes_on:
                self._trusted_until = asked_at + self._times.trusted
            await asyncio.sleep(wait)

    def _lose(self, reason: str) -> None:
        self._trusted_until = 0.0
        _log.error("lease_lost", number=self._number, reason=reason)
        self._on_lost()

    async def _ask(self, script: str, argument: str = "") -> Any:  # noqa: ANN401 - a script's answer
        async with asking():
            arguments = (self._value, str(int(self._times.ends * 1000)), argument)
            return await self._client.eval(script, 2, _KEY, _NUMBER_KEY, *arguments)


def _why_not(outcome: bytes, detail: str) -> tuple[str, str]:
    """Return why the lease is not to be had, and the remedy."""
    if outcome == b"young":
        return "Redis has just started, and may have forgotten who has it", "wait some seconds"
    return held_by(detail.partition(" ")[2])

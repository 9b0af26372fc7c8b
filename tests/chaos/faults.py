"""The faults: how each begins and ends, and in which layouts it can happen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from tests.chaos.installation import Installation, Layout
from tests.chaos.relay import Relay

HOUR_MS: Final = 3_600_000
_APART: Final[frozenset[Layout]] = frozenset({"apart"})
_BOTH: Final[frozenset[Layout]] = frozenset({"apart", "together"})
_Step = Callable[[Installation], Awaitable[None]]


class Fault(msgspec.Struct, frozen=True):
    """One kind of failure.

    Args:
        name: such as `kill collector`.
        begin: makes it happen.
        end: undoes it, and waits until the part that it hit answers again.
        layouts: where it can happen.
        is_kill: whether it is over at once: the part is started again without a pause.
    """

    name: str
    begin: _Step
    end: _Step
    layouts: frozenset[Layout]
    is_kill: bool = False


def faults_of(layout: Layout) -> list[Fault]:
    """Return the faults that can happen in a layout."""
    return [fault for fault in _FAULTS if layout in fault.layouts]


def _of_part(name: str, layout: Layout) -> list[Fault]:
    """Return what can happen to a process: killed, frozen, its disk full."""

    async def kill(installation: Installation) -> None:
        installation.parts[name].kill()

    async def freeze(installation: Installation) -> None:
        installation.parts[name].freeze()

    async def fill(installation: Installation) -> None:
        installation.parts[name].fill()

    async def recover(installation: Installation) -> None:
        await installation.parts[name].recover()

    layouts: frozenset[Layout] = frozenset({layout})
    return [
        Fault(f"kill {name}", kill, recover, layouts, is_kill=True),
        Fault(f"freeze {name}", freeze, recover, layouts),
        Fault(f"full disk of {name}", fill, recover, layouts),
    ]


def _of_clock(name: str, ahead_ms: int) -> Fault:
    """Return the fault that a process runs for a while with a clock that is ahead, ms."""

    async def run_ahead(installation: Installation) -> None:
        await installation.parts[name].start_again(ahead_ms)

    async def run_right(installation: Installation) -> None:
        await installation.parts[name].start_again()

    return Fault(f"clock of {name} ahead", run_ahead, run_right, _APART)


def _of_network(name: str, relay: Callable[[Installation], Relay | None], layouts: frozenset[Layout]) -> list[Fault]:
    """Return what can happen on the way to a neighbour: cut, frozen, slow."""

    def way(installation: Installation) -> Relay:
        found = relay(installation)
        assert found is not None
        return found

    async def cut(installation: Installation) -> None:
        way(installation).cut()

    async def freeze(installation: Installation) -> None:
        way(installation).freeze()

    async def slow(installation: Installation) -> None:
        way(installation).slow()

    async def heal(installation: Installation) -> None:
        way(installation).heal()

    begins = {"cut": cut, "freeze": freeze, "slow": slow}
    return [Fault(f"{how} {name}", begin, heal, layouts) for how, begin in begins.items()]


async def _kill_redis(installation: Installation) -> None:
    assert installation.redis is not None
    installation.redis.kill()


async def _start_redis(installation: Installation) -> None:
    assert installation.redis is not None
    await asyncio.to_thread(installation.redis.start)


async def _freeze_redis(installation: Installation) -> None:
    assert installation.redis is not None
    installation.redis.freeze()


async def _thaw_redis(installation: Installation) -> None:
    assert installation.redis is not None
    installation.redis.thaw()


_FAULTS: Final = [
    *_of_part("up", "together"),
    *(fault for name in ("collector", "worker-1", "worker-2") for fault in _of_part(name, "apart")),
    _of_clock("collector", 2 * HOUR_MS),
    *_of_network("mail", lambda installation: installation.mail_relay, _BOTH),
    *_of_network("clickhouse", lambda installation: installation.clickhouse_relay, _APART),
    Fault("kill redis", _kill_redis, _start_redis, _APART),
    Fault("freeze redis", _freeze_redis, _thaw_redis, _APART),
]

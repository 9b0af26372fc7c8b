"""A campaign: faults one after another, chosen by a seed, while shoppers shop; then the ledger."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from tests.chaos.faults import Fault
from tests.chaos.installation import Installation
from tests.chaos.ledger import Ledger, until_settled
from tests.chaos.traffic import Traffic


class Plan(msgspec.Struct, frozen=True):
    """How long what goes wrong, and how much is sent meanwhile.

    Args:
        faults: the faults in their order.
        hold_seconds: the shortest and the longest time that a fault lasts; kills are undone at once.
        pause_seconds: the longest time between two faults.
        per_second: shoppers a second.
    """

    faults: Sequence[Fault]
    hold_seconds: tuple[float, float] = (1.0, 5.0)
    pause_seconds: float = 2.0
    per_second: float = 10.0


class Outcome(msgspec.Struct):
    """What a campaign proved.

    Args:
        ledger: what became of everything that was sent.
        happened: how often each fault happened.
        slowest_starts: by part, the longest time from a start to its first answer, in seconds.
        memory: by part, resident bytes at the end.
        sent_again: batches that had to be sent again.
    """

    ledger: Ledger
    happened: dict[str, int]
    slowest_starts: dict[str, float]
    memory: dict[str, int]
    sent_again: int

    def lines(self) -> list[str]:
        """Return the outcome in words."""
        faults = [f"{times:4} x {name}" for name, times in sorted(self.happened.items())]
        starts = [f"slowest start of {part}: {seconds:.1f} s" for part, seconds in self.slowest_starts.items()]
        memory = [f"memory of {part} at the end: {size / 2**20:.0f} MiB" for part, size in self.memory.items()]
        return [*faults, f"batches sent again: {self.sent_again}", *starts, *memory, *self.ledger.lines()]


async def run_campaign(
    installation: Installation, plan: Plan, chance: random.Random, tell: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Run a plan against an installation, and return what it proved.

    Args:
        installation: a running installation.
        plan: what goes wrong.
        chance: decides how long each fault lasts and when the next one begins.
        tell: told of each fault as it begins.
    """
    traffic = Traffic(installation.collector_url, plan.per_second)
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(traffic.run())
        await asyncio.sleep(1.0)
        for number, fault in enumerate(plan.faults, 1):
            tell(f"{number}/{len(plan.faults)} {fault.name}")
            await fault.begin(installation)
            await asyncio.sleep(0.0 if fault.is_kill else chance.uniform(*plan.hold_seconds))
            await fault.end(installation)
            await asyncio.sleep(chance.uniform(0.0, plan.pause_seconds))
        traffic.end()
        await sending
    await until_settled(installation, traffic)
    return Outcome(
        await Ledger.read(installation, traffic),
        dict(Counter(fault.name for fault in plan.faults)),
        {part.name: max(part.starts) for part in installation.parts.values() if part.starts},
        {part.name: part.memory_bytes() for part in installation.parts.values()},
        traffic.sent_again,
    )

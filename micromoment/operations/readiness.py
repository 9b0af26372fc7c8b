"""Whether a process can do its work, part by part."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from warehouse.connection import Warehouse
from warehouse.errors import WarehouseError
from warehouse.journal.group_commit import JournalThread
from warehouse.journal.tables import TABLES
from warehouse.threads import Threads

_ANSWERS_WITHIN_SECONDS: Final = 2.0
#: A question that ClickHouse does not answer keeps its thread for longer: then the next are told at once.
_THREADS: Final = Threads("readiness", 2, 2)


class Readiness(msgspec.Struct, frozen=True):
    """What each part of a process says: `ok`, or its trouble."""

    status: str
    journal: str
    clickhouse: str
    bus: str
    messages: str = "ok"
    clock: str = "ok"

    @property
    def is_ready(self) -> bool:
        """Tell whether rows can be taken: the other parts inform, as what they miss is caught up with."""
        return self.journal == "ok"


async def check_readiness(
    journal: JournalThread,
    warehouse: Warehouse,
    bus_state: Callable[[], str],
    storing_state: Callable[[], str],
    now_ms: int,
    held_back: Sequence[str] = (),
    clock_state: str = "ok",
) -> Readiness:
    """Return what each part says, within two seconds.

    Cost: one query of a constant.

    Args:
        journal: takes rows.
        warehouse: where they go.
        bus_state: returns 'ok', or why messages do not travel.
        storing_state: returns 'ok', or why ClickHouse takes no rows, as when its disk is full.
        now_ms: epoch ms.
        held_back: what a site has sent so much of within the hour that more waits.
        clock_state: 'ok', or by how much this machine's clock is wrong.
    """
    trouble = journal.unready(now_ms)
    bus = bus_state()
    return Readiness(
        status="not ready" if trouble else "ready",
        journal=trouble or "ok",
        clickhouse=await _check_clickhouse(journal, warehouse, storing_state),
        bus="ok" if bus == "ok" else f"away; pages and rules wait for ClickHouse instead: {bus}",
        messages=f"held back, hourly_messages is reached: {', '.join(held_back)}" if held_back else "ok",
        clock=clock_state,
    )


async def _check_clickhouse(journal: JournalThread, warehouse: Warehouse, storing_state: Callable[[], str]) -> str:
    waiting = sum(map(journal.depth, TABLES))
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS):
            await _THREADS.run(warehouse.ping)
    except (WarehouseError, TimeoutError) as error:
        return f"unreachable; {waiting} rows wait on disk: {str(error) or 'no answer within 2 s'}"
    trouble = storing_state()
    return "ok" if trouble == "ok" else f"takes no rows; {waiting} wait on disk: {trouble}"

"""Every fault once, under load, in both layouts; `make chaos` goes on for as long as it is told to."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.campaign import Plan, run_campaign
from tests.chaos.faults import faults_of
from tests.chaos.installation import Layout, running_installation
from tests.databases import Databases

#: Faults of this length show what a fault does; longer ones add waiting.
_HOLD_SECONDS: Final = (0.5, 1.5)


@pytest.mark.parametrize("layout", ["together", pytest.param("apart", marks=pytest.mark.listener)])
async def test_whatever_fails_nothing_acknowledged_is_lost_or_doubled(
    layout: Layout, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    faults = chance.sample(faults_of(layout), len(faults_of(layout)))
    plan = Plan(faults, hold_seconds=_HOLD_SECONDS, pause_seconds=0.5, per_second=5.0)
    if layout == "together":
        async with running_installation(tmp_path, layout) as installation:
            outcome = await run_campaign(installation, plan, chance, print)
    else:
        databases: Databases = request.getfixturevalue("listener_databases")
        with databases.lent() as dsn:
            async with running_installation(tmp_path, layout, dsn) as installation:
                outcome = await run_campaign(installation, plan, chance, print)
    print(*outcome.lines(), sep="\n")
    assert not outcome.ledger.broken_promises()

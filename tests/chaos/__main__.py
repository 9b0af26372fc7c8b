"""`make chaos`: faults at random for as long as wanted, and the ledger of what became of everything."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.shop import fill
from tests.chaos.campaign import Outcome, Plan, run_campaign
from tests.chaos.faults import Fault, faults_of
from tests.chaos.installation import embedded_dsn, running_installation
from tests.listener.process import running_listener
from tests.scratch import scratch_folder
from warehouse.connection import connect


def main() -> int:
    """Run a campaign, print its ledger, and return 1 when a promise was broken."""
    options = _options()
    print(f"seed {options.seed}, {options.layout}")
    with _folder(options.folder) as folder, _clickhouse(options.layout) as clickhouse:
        outcome = asyncio.run(_run(options, folder, clickhouse))
        print(*outcome.lines(), sep="\n")
        for promise, broken in outcome.ledger.broken_promises().items():
            print(f"BROKEN {promise}: {broken[:5]} ... {len(broken)} in all")
        print(*outcome.ledger.evidence, sep="\n")
    return 1 if outcome.ledger.broken_promises() else 0


async def _run(options: argparse.Namespace, folder: Path, clickhouse: str) -> Outcome:
    chance = random.Random(options.seed)
    if options.stored:
        await asyncio.to_thread(_fill, folder, options, clickhouse)
    plan = Plan(
        _chosen(options, chance), (options.hold / 4, options.hold), options.pause, per_second=options.per_second
    )
    async with running_installation(folder, options.layout, clickhouse) as installation:
        return await run_campaign(installation, plan, chance, _tell)


def _tell(words: str) -> None:
    print(f"{datetime.now(UTC):%T} {words}", flush=True)


def _fill(folder: Path, options: argparse.Namespace, clickhouse: str) -> None:
    """Store a month of other visitors' events before the start."""
    dsn = clickhouse or embedded_dsn(folder / "up-data")
    with connect(dsn) as warehouse:
        fill(warehouse, options.stored)


def _chosen(options: argparse.Namespace, chance: random.Random) -> list[Fault]:
    """Return the faults of a campaign: every kind as often as any other, in an order by chance."""
    kinds = [
        fault
        for fault in faults_of(options.layout)
        if any(word in fault.name for word in options.only) or not options.only
    ]
    if not kinds:
        sys.exit(f"no fault has a name with {' '.join(options.only)}; there are: {_names(options)}")
    faults = [kind for kind in kinds for _ in range(options.times)]
    chance.shuffle(faults)
    return faults


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is None:
        with scratch_folder() as folder:
            yield folder
    else:
        given.mkdir(parents=True)
        yield given


def _names(options: argparse.Namespace) -> str:
    return ", ".join(fault.name for fault in faults_of(options.layout))


@contextlib.contextmanager
def _clickhouse(layout: str) -> Iterator[str]:
    if layout == "together":
        yield ""
    else:
        with running_listener() as dsn:
            yield f"{dsn}/chaos"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--layout", choices=("together", "apart"), default="apart", help="one process, or several")
    parser.add_argument("--times", type=int, default=3, help="how often each fault happens")
    parser.add_argument("--only", nargs="*", default=[], help="words of the names of the faults")
    parser.add_argument("--hold", type=float, default=5.0, help="the longest time that a fault lasts, in seconds")
    parser.add_argument("--pause", type=float, default=2.0, help="the longest time between two faults, in seconds")
    parser.add_argument("--per-second", type=float, default=10.0, help="shoppers a second, of three events each")
    parser.add_argument(
        "--stored", type=int, default=0, help="events of other visitors that are stored before the start"
    )
    parser.add_argument("--folder", type=Path, help="a new folder that stays, with logs and data")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

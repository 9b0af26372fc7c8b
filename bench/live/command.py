"""`python -m bench live`: measures this checkout, and another in alternation with it."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from bench.live import capacity, latency, upkeep
from bench.live.checkout import ROOT, Checkout, Workshop, find
from bench.live.report import Figure, Rounds, lines

Run = Callable[[Checkout, Workshop], list[Figure]]
#: What can be asked for by name, but for `latency`, which is a run for each rate.
PARTS: Final[dict[str, Run]] = {
    "intake": capacity.measure_intake,
    "pages": capacity.measure_pages,
    "streams": capacity.measure_streams,
    "idle": upkeep.measure_idle,
    "rules": latency.measure_rules,
    "stored": latency.measure_stored,
    "memory": upkeep.measure_memory,
}
NAMES: Final = ("latency", *PARTS)


def measure(arguments: Sequence[str] = ()) -> list[str]:
    """Measure as the command line asks, and return the report; each run's part of it is printed when it is there."""
    asked = _parser().parse_args(arguments)
    _raise_open_files()
    with tempfile.TemporaryDirectory(prefix="micromoment-bench-") as temporary:
        folder = Path(asked.keep or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        checkouts = [Checkout("this", ROOT)]
        if asked.against:
            checkouts.append(find(asked.against, folder))
        workshop = Workshop(folder, asked.rules, asked.stored, asked.rate, asked.seconds, asked.warm_up, asked.streams)
        runs, rounds = _runs(asked.only, workshop), asked.rounds or len(checkouts)
        return [line for run in runs for line in _alternate(run, checkouts, workshop, rounds)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench live", description=__doc__)
    parser.add_argument("--against", metavar="CHECKOUT", help="folder or revision to measure in alternation")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="which parts; default all")
    parser.add_argument("--rounds", type=int, help="how often each is measured; default 2, or 1 without --against")
    parser.add_argument("--seconds", type=float, help="how long each load is, instead of its own length")
    parser.add_argument("--rate", type=int, help="events a second, instead of each of 1000, 3000 and 50")
    parser.add_argument("--warm-up", type=float, default=10.0, metavar="SECONDS", help="default 10")
    parser.add_argument("--rules", type=int, default=100, help="default 100")
    parser.add_argument("--stored", type=int, default=1_000_000, metavar="EVENTS", help="default 1000000")
    parser.add_argument("--streams", type=int, default=8_000, help="open at once in `streams`; default 8000")
    parser.add_argument("--keep", metavar="FOLDER", help="keep filled stores there for the next time")
    return parser


def _runs(names: Sequence[str], workshop: Workshop) -> list[Run]:
    loads = [(workshop.rate, 60.0)] if workshop.rate else latency.LOADS
    rates: list[Run] = [partial(latency.measure_latency, rate=rate, seconds=seconds) for rate, seconds in loads]
    return [run for name in names for run in (rates if name == "latency" else [PARTS[name]])]


def _alternate(run: Run, checkouts: list[Checkout], workshop: Workshop, rounds: int) -> list[str]:
    """Measure each checkout in turn, so many times, and return the report."""
    found: Rounds = {checkout: [] for checkout in checkouts}
    begun, load_before = time.monotonic(), os.getloadavg()[0]
    for _ in range(rounds):
        for checkout in checkouts:
            found[checkout].append(run(checkout, workshop))
    report = lines(found)
    report.append(
        f"  took {time.monotonic() - begun:.0f} s; load average of the last minute {load_before:.1f} before,"
        f" {os.getloadavg()[0]:.1f} after, of {os.cpu_count()} cores"
    )
    print("\n".join(report), file=sys.stderr, flush=True)
    return report


def _raise_open_files() -> None:
    """Allow as many open files as the machine does, here and in what is started: a stream is one on each side."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

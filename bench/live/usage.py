"""What processes used of this machine, from proc(5)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_KIB: Final = 1024


class Usage(NamedTuple):
    """Seconds of processor since each began: the product's, this process's and everybody's; and the instant."""

    product: float
    generator: float
    machine: float
    at: float


class Spent(NamedTuple):
    """Between two readings of `Usage`: seconds of processor of the product, and cores of the three others.

    Args:
        product_seconds: of every process of the product.
        product_cores, generator_cores: of the product, and of this process.
        other_cores: of everything else on the machine, which disturbs what is measured.
    """

    product_seconds: float
    product_cores: float
    generator_cores: float
    other_cores: float


def read_usage(session: int) -> Usage:
    """Return what was used so far.

    Args:
        session: the session that the product's processes are in.
    """
    product = sum(_ticks(pid) for pid in _members(session)) / _TICKS
    return Usage(product, time.process_time(), _machine_seconds(), time.monotonic())


def spent(before: Usage, after: Usage) -> Spent:
    """Return what was used between two readings."""
    wall = after.at - before.at
    product, generator = after.product - before.product, after.generator - before.generator
    others = after.machine - before.machine - product - generator
    return Spent(product, product / wall, generator / wall, max(0.0, others / wall))


def anonymous_bytes(session: int) -> int:
    """Return the resident memory of a session's processes that is no file's."""
    return sum(_status(pid, "RssAnon") for pid in _members(session)) * _KIB


def _members(session: int) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _session(entry) == session]


def _session(entry: Path) -> int:
    try:
        return int(_fields(entry)[3])
    except OSError:  # it has ended meanwhile
        return 0


def _fields(entry: Path) -> list[str]:
    """Return the fields of a process's `stat` from `state` on: its name before them may hold anything."""
    return (entry / "stat").read_text().rpartition(")")[2].split()


def _ticks(pid: int) -> int:
    try:
        return sum(int(field) for field in _fields(Path(f"/proc/{pid}"))[11:15])  # its own, and its ended children's
    except OSError:
        return 0


def _machine_seconds() -> float:
    """Return the busy seconds of all cores: user, nice, system, irq, softirq and steal."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS


def _status(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)

"""The soak: innocent visitors with the worst stranger beside them and without, in alternation, on one product."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figures import percentile
from bench.live.product import environment, running
from bench.soak.innocents import Seen, visit
from bench.soak.stranger import WRITE_KEY
from e2e.ports import free_ports

_TREE: Final = Path(__file__).parents[2]
_RULE: Final = "id: answers\nwhen: hover\nevery: 0\nsend:\n  - banner: hello\n"
_BANNER: Final = "form: bar\nposition: top\ntitle: Hello\ntext: This banner answers.\n"
#: A quiet while before anything is measured, in seconds; between phases, what a stranger left is worked off.
_WARM_UP: Final = 5.0


@dataclass(frozen=True)
class Phase:
    """What was seen while the stranger was there or not, and the product's memory and processor time after it."""

    with_stranger: bool
    seen: Seen
    memory_mib: float
    cores: float


def measure(arguments: list[str]) -> list[str]:
    """Return a line for each figure.

    Args:
        arguments: options of the command line.
    """
    options = _options().parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port, operations_port = _write_shop(folder)
        with running(_TREE, folder, ["-m", "micromoment", "up"], port) as product:
            asyncio.run(visit(port, _WARM_UP))
            memory = [_memory_mib(product.session)]
            phases = [
                _phase(product.session, port, options.seconds, with_stranger=with_stranger)
                for _ in range(options.rounds)
                for with_stranger in (False, True)
            ]
            memory += [phase.memory_mib for phase in phases]
            figures = urllib.request.urlopen(f"http://127.0.0.1:{operations_port}/metrics", timeout=30).read().decode()
        return [*_lines(phases, memory), *_refusals(figures)]


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("bench soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each phase")
    parser.add_argument("--rounds", type=int, default=5, help="of a phase without and one with the stranger")
    return parser


def _write_shop(folder: Path) -> tuple[int, int]:
    port, worker_port, operations_port = free_ports(3)
    for part, name, text in (("rules", "answers.yaml", _RULE), ("templates", "hello.banner.yaml", _BANNER)):
        (folder / part).mkdir()
        (folder / part / name).write_text(text)
    (folder / "micromoment.toml").write_text(
        f'clickhouse = "chdb://{folder}/clickhouse"\ncollector_port = {port}\nworker_port = {worker_port}\n'
        f'operations_port = {operations_port}\n[sites.shop]\nwrite_key = "{WRITE_KEY}"\n'
    )
    return port, operations_port


def _phase(process: int, port: int, seconds: float, *, with_stranger: bool) -> Phase:
    stranger = _stranger(port, seconds) if with_stranger else None
    spent = _processor_seconds(process)
    seen = asyncio.run(visit(port, seconds))
    cores = (_processor_seconds(process) - spent) / seconds
    if stranger is not None:
        print(f"with the stranger, {seconds:g} s:\n{stranger.communicate(timeout=120)[0].rstrip()}")
    return Phase(with_stranger, seen, _memory_mib(process), cores)


def _stranger(port: int, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.soak.stranger", str(port), str(seconds)]
    return subprocess.Popen(command, cwd=_TREE, env=environment(_TREE), stdout=subprocess.PIPE, text=True)


def _lines(phases: list[Phase], memory: list[float]) -> list[str]:
    quiet = [phase for phase in phases if not phase.with_stranger]
    attacked = [phase for phase in phases if phase.with_stranger]
    failed = [failure for phase in phases for failure in phase.seen.failed]
    return [
        _compared("acknowledged", _all(quiet, "acknowledged_ms"), _all(attacked, "acknowledged_ms")),
        _compared("sent -> banner at the client", _all(quiet, "banner_ms"), _all(attacked, "banner_ms")),
        f"processor: {_mean(quiet):.2f} cores without, {_mean(attacked):.2f} with",
        f"memory, MiB, at first and after each phase: {', '.join(f'{mib:.0f}' for mib in memory)}",
        f"innocent visitors who failed: {len(failed)} {sorted(set(failed))[:3]}",
    ]


def _all(phases: list[Phase], name: str) -> list[float]:
    return [sample for phase in phases for sample in getattr(phase.seen, name)]


def _mean(phases: list[Phase]) -> float:
    return sum(phase.cores for phase in phases) / len(phases)


def _compared(name: str, quiet: list[float], attacked: list[float]) -> str:
    if not quiet or not attacked:
        return f"{name}: nothing was measured"
    shares = [(share, percentile(quiet, share), percentile(attacked, share)) for share in (0.5, 0.99)]
    said = (
        f"p{s * 100:g} {before:.1f} ms without, {after:.1f} with: {after / before:.2f}x" for s, before, after in shares
    )
    return f"{name}: {'; '.join(said)} ({len(quiet)} and {len(attacked)} samples)"


def _refusals(figures: str) -> list[str]:
    found = re.findall(r'micromoment_requests_refused_total\{code="(\w+)"\} ([\d.e+]+)', figures)
    ours = {"internal_error", "journal_unavailable", "journal_full", "warehouse_unavailable", "busy"}
    said = ", ".join(f"{code} {float(count):.0f}" for code, count in found)
    return [f"refused: {said}", f"answers 5xx: {sum(float(count) for code, count in found if code in ours):.0f}"]


def _memory_mib(process: int) -> float:
    (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(resident) / 1024


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

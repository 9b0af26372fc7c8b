"""A run draws by chance what its seed says; asked of a run of its own, since this one has drawn already."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.seeds import VARIABLE

#: Plugins that take time to import.
NEEDLESS = [f"-pno:{name}" for name in ("cacheprovider", "asyncio", "anyio", "faker")]
DRAWS = """
import random
from hypothesis import given, settings
from hypothesis import strategies as st

def test_draws():
    print("drew", random.random())

def test_draws_examples():
    drawn = []

    @settings(derandomize=False)
    @given(st.integers())
    def draw(number):
        drawn.append(number)

    draw()
    print("drew", hash(tuple(drawn)))

def test_fails():
    print("drew", random.random())
    assert False
"""


def run(folder: Path, *options: str, seed: str = "") -> str:
    (folder / "test_draws.py").write_text(DRAWS)
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {VARIABLE: seed} if seed else {}
    arguments = [
        *("-p", "tests.seeds", *NEEDLESS),
        "-rA",
        "-q",
        *options,
        f"--rootdir={folder}",
        str(folder),
    ]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, *arguments],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    return ended.stdout


def drawn(output: str) -> list[str]:
    return sorted(re.findall(r"^drew .*", output, re.MULTILINE))


def test_a_run_that_failed_tells_the_seed_that_draws_the_same_again_in_any_number_of_processes(tmp_path: Path) -> None:
    first = run(tmp_path)
    (seed,) = set(re.findall(rf"seed: (\d+) \(set {VARIABLE} ", first))
    assert len(drawn(first)) == 3
    assert len(set(drawn(first))) == 3
    assert drawn(run(tmp_path, "--numprocesses=1", seed=seed)) == drawn(first)

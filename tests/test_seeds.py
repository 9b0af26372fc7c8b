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

DRAWS = """
import random
from hypothesis import given, settings
from hypothesis import strategies as st

drawn = []

def test_draws():
    print("drew", random.random())

@settings(derandomize=False)
@given(st.integers())
def test_draws_examples(number):
    drawn.append(number)

def test_fails():
    print("drew", random.random(), hash(tuple(drawn)))
    assert False
"""


def run(folder: Path, seed: str = "") -> str:
    (folder / "test_draws.py").write_text(DRAWS)
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment |= {VARIABLE: seed} if seed else {}
    arguments = ["-p", "tests.seeds", "-p", "no:cacheprovider", "-rA", "-q", f"--rootdir={folder}", str(folder)]
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
    return re.findall(r"^drew .*", output, re.MULTILINE)


def test_a_run_that_failed_tells_the_seed_that_draws_the_same_again(tmp_path: Path) -> None:
    first = run(tmp_path)
    (seed,) = set(re.findall(rf"seed: (\d+) \(set {VARIABLE} ", first))
    again = run(tmp_path, seed)
    assert len(drawn(first)) == 2
    assert drawn(again) == drawn(first)
    assert drawn(run(tmp_path, str(int(seed) + 1))) != drawn(first)

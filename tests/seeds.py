"""One seed for everything that a run draws by chance, told at its head and wherever something failed.

`MICROMOMENT_TEST_SEED` of an earlier run draws the same again. As Hypothesis begins each test anew from it, and so does
`random`, a test draws the same whichever tests run beside it. On a server the checks of properties draw what their own
text says (`derandomize`), whatever the seed.
"""

from __future__ import annotations

import os
import random
import secrets
from typing import Final

import pytest
from hypothesis import core

VARIABLE: Final = "MICROMOMENT_TEST_SEED"
_SEED_BITS: Final = 32


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed; the processes of a run inherit it with the environment."""
    seed = os.environ.setdefault(VARIABLE, str(secrets.randbits(_SEED_BITS)))
    if config.getoption("--hypothesis-seed") is None:
        core.global_force_seed = int(seed)  # type: ignore[assignment]  # declared as None only


def pytest_report_header() -> str:
    """Tell the seed at the head."""
    return _told()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the seed at the end, where the head may be far away or was kept quiet."""
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(_told())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin each test's chance anew."""
    random.seed(f"{os.environ[VARIABLE]} {item.nodeid}")


def _told() -> str:
    return f"seed: {os.environ[VARIABLE]} (set {VARIABLE} to draw the same again)"

"""One seed for everything that a run draws by chance, told at its head and wherever something failed.

`MICROMOMENT_TEST_SEED` of an earlier run draws the same again. As Hypothesis begins each test anew from it, and so does
`random`, a test draws the same whichever tests run beside it. On a server the checks of properties draw what their own
text says (`derandomize`), whatever the seed.
"""

from __future__ import annotations

import os
import random
import secrets
from typing import Any, Final

import pytest
from hypothesis import core

VARIABLE: Final = "MICROMOMENT_TEST_SEED"
_SEED_BITS: Final = 32
_SEED: Final = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed, or take that of the process which distributes the tests."""
    # Taken out: the product refuses variables that begin like its own and are no settings.
    given = os.environ.pop(VARIABLE, "") or secrets.randbits(_SEED_BITS)
    seed = config.stash[_SEED] = int(getattr(config, "workerinput", {}).get(VARIABLE, given))
    if config.getoption("--hypothesis-seed") is None:
        core.global_force_seed = seed  # type: ignore[assignment]  # declared as None only


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed to a process that runs some of the tests."""
    node.workerinput[VARIABLE] = node.config.stash[_SEED]


def pytest_report_header(config: pytest.Config) -> str:
    """Tell the seed at the head."""
    return _told(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell the seed at the end, where the head may be far away or was kept quiet."""
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(_told(config))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin each test's chance anew."""
    random.seed(f"{item.config.stash[_SEED]} {item.nodeid}")


def _told(config: pytest.Config) -> str:
    return f"seed: {config.stash[_SEED]} (set {VARIABLE} to draw the same again)"

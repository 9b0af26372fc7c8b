"""The sample folder, as the demo copies it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sample() -> Path:
    return Path(str(files("micromoment") / "sample"))

"""Benchmark of `micromoment import`: a million events of baskets, stored for the first time and again.

The baskets are those of `bench.backtest`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from bench.backtest import FILE_VARIABLE, run_command
from bench.journey import read_transactions, write_events
from bench.receipts import made_up_receipts

EVENTS: Final = 1_000_000


def measure() -> list[str]:
    """Return a line with the seconds and the memory of an import, and one of the same import again."""
    transactions = os.environ.get(FILE_VARIABLE)
    lines = read_transactions(Path(transactions)) if transactions else made_up_receipts()
    source = Path(transactions).name if transactions else "made-up baskets"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        history = folder / "history.jsonl"
        write_events(lines, history, EVENTS)
        first = run_command(folder, "import", str(history))
        again = run_command(folder, "import", str(history))
    return [
        f"import: {EVENTS:,} events of {source}: {first}",
        f"import: the same again, which stores none: {again}",
    ]

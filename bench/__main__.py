"""The command that runs the benchmarks: `python -m bench` and names; `live` and `soak` take options (`--help`)."""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path

from bench import backtest, banner, delivery, evaluate, gate, imports, intake, journal, people, size, tick, visible
from bench.live import command as live
from bench.soak import command as soak
from e2e.stack import running_stack

ALONE = {
    "size": size.measure,
    "tick": tick.measure,
    "live": live.measure,
    "gate": gate.measure,
    "import": imports.measure,
    "intake": intake.measure,
    "journal": journal.measure,
    "delivery": delivery.measure,
    "evaluate": evaluate.measure,
    "people": people.measure,
    "backtest": backtest.measure,
}
ON_THE_PRODUCT = {"visible": visible.measure, "banner": banner.measure}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all, and print a line for each figure."""
    print(f"{platform.machine()}, Python {platform.python_version()}")
    if names[:1] in (["live"], ["soak"]):
        measure = live.measure if names[0] == "live" else soak.measure
        print("\n".join(measure(names[1:])))
        return
    wanted = names or [*ALONE, *ON_THE_PRODUCT]
    lines = [line for name in wanted if name in ALONE for line in ALONE[name]()]
    chosen = [name for name in wanted if name in ON_THE_PRODUCT]
    if chosen:
        with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder), None, None) as stack:
            for name in chosen:
                lines += ON_THE_PRODUCT[name](stack)
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])

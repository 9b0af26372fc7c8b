"""The process is killed, again and again, while events pour in: what was acknowledged is stored, once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.warehouse.journal.process import EVENTS_EACH

BATCHES = 160
#: After how many acknowledged batches of its life each process is killed.
KILLS = (25, 70)
ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["embedded", pytest.param("listener", marks=pytest.mark.listener)])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The data source name of a database that only the killed process opens, or of one on a listener that stays."""
    if request.param == "embedded":
        return f"chdb://{tmp_path}/clickhouse"
    dsn: str = request.getfixturevalue("listener")
    return urlsplit(dsn)._replace(path="/journal_kill").geturl()


@contextmanager
def process(folder: Path, target: str, batches: list[int]) -> Iterator[Iterator[str]]:
    """Run a process that appends batches; what it writes is yielded line by line, and at the end it is killed."""
    command = [sys.executable, "-m", "tests.warehouse.journal.process", str(folder), target]
    with (
        (folder.parent / "output.log").open("ab") as log,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as running,
    ):
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            running.stdin.write(json.dumps(batches) + "\n")
            running.stdin.flush()
            yield iter(running.stdout)
        finally:
            running.kill()


def test_every_acknowledged_row_is_stored_once_however_often_the_process_is_killed(tmp_path: Path, target: str) -> None:
    waiting = list(range(BATCHES))
    for acknowledged_before in KILLS:
        with process(tmp_path / "journal", target, waiting) as lines:
            for _ in range(acknowledged_before):
                waiting.remove(int(next(lines)))
    with process(tmp_path / "journal", target, waiting) as lines:
        acknowledged = {int(next(lines)) for _ in waiting}
        assert acknowledged == set(waiting)
        stored = json.loads(next(lines))
    assert stored == [BATCHES * EVENTS_EACH] * 4

"""The SDKs of others that run in a shop's server, each with a program that uses it as a shop's does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.senders.installed import node_sdk, python_sdk
from tests.senders.relay import Fault

_PROGRAMS: Final = Path(__file__).parent / "programs"
_PATIENCE_SECONDS: Final = 240


@dataclass(frozen=True)
class ServerSdk:
    """An SDK of a server.

    Args:
        name: as tests name it.
        program: the file in `programs/` that makes the calls.
        package: its folder for Python, as `installed.python_sdk` names it; its npm package for Node.
        options: what a shop gives it, beside key and address.
        batch: messages of one request at most.
    """

    name: str
    program: str
    package: str
    batch: int
    options: dict[str, Any] = field(default_factory=dict)

    def start(self, url: str, key: str, calls: Sequence[dict[str, Any]] = (), count: int = 0) -> Sending:
        """Start the program: it makes these calls, and then so many numbered ones.

        Args:
            url: where the SDK sends.
            key: its write key.
            calls: each in the form of a message.
            count: how many `Product Viewed` follow, with the ids `n-0`, `n-1` ...
        """
        task = {"url": url, "key": key, "calls": list(calls), "count": count, "options": self.options}
        process = subprocess.Popen(
            self._command(),
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(task))
        process.stdin.close()
        process.stdin = None
        return Sending(process)

    def send(self, url: str, key: str, calls: Sequence[dict[str, Any]] = (), count: int = 0) -> Sent:
        """Run the program to its end; the arguments are those of `start`."""
        return self.start(url, key, calls, count).wait()

    def _command(self) -> list[str]:
        interpreter = "node" if self.program.endswith(".cjs") else sys.executable
        return [interpreter, str(_PROGRAMS / self.program)]

    def _environment(self) -> dict[str, str]:
        here = {name: text for name, text in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
        if self.program.endswith(".cjs"):
            node_sdk(self.package)
            return here
        # Nothing of ours: what the SDK needs lies beside it. The interpreter's own packages come after it.
        return {**here, "PYTHONPATH": str(python_sdk(self.package)), "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class Sent:
    """What a program says of its sending.

    Args:
        errors: what the SDK told it, one for each batch or event that was given up.
        seconds: from the first call to the end.
    """

    errors: list[str]
    seconds: float


class Sending:
    """A program that is sending."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def wait(self) -> Sent:
        """Wait for its end, and return what it says."""
        try:
            output, log = self._process.communicate(timeout=_PATIENCE_SECONDS)
        finally:
            self._process.kill()
        assert self._process.returncode == 0, f"{output}\n{log}"
        said = json.loads(output.splitlines()[-1])
        return Sent(said["errors"], said["seconds"])


SEGMENT_PYTHON_OLD: Final = ServerSdk("segment-python 2.3.4", "tracking_python.py", "segment-2.3.4", 100)
SEGMENT_PYTHON: Final = ServerSdk("segment-python 2.4.0", "tracking_python.py", "segment-2.4.0", 100, {"gzip": True})
SEGMENT_NODE: Final = ServerSdk("segment-node 3.1.0", "segment_node.cjs", "@segment/analytics-node", 15)
RUDDER_PYTHON: Final = ServerSdk("rudder-python 2.1.9", "tracking_python.py", "rudder-2.1.9", 100)
RUDDER_NODE: Final = ServerSdk(
    "rudder-node 3.0.13",
    "rudder_node.cjs",
    "@rudderstack/rudder-sdk-node",
    20,
    # It tries three times within a second and a half unless it is told otherwise, which no restart takes.
    {"retryCount": 10},
)
SERVER_SDKS: Final = (SEGMENT_PYTHON_OLD, SEGMENT_PYTHON, SEGMENT_NODE, RUDDER_PYTHON, RUDDER_NODE)
#: Events that each SDK sends at once; `MICROMOMENT_SENDERS=10000` is the long form.
COUNT: Final = int(os.environ.get("MICROMOMENT_SENDERS", "1000"))
#: What becomes of a request before its events are stored is the same on each engine.
on_one_engine = pytest.mark.parametrize("product", ["embedded"], indirect=True)
#: What a server's SDK is to overcome by itself.
refused_for_now = pytest.mark.parametrize(
    "faults",
    [
        pytest.param((Fault(429, "too_many_requests", 1),) * 2, id="429"),
        pytest.param((Fault(503, "journal_full", 1),) * 2, id="503"),
        pytest.param((Fault(500, "internal_error"),), id="500"),
        pytest.param((Fault(), Fault()), id="answers are lost"),
    ],
)

"""`micromoment up` as a user runs it: a process of its own, with the embedded engine; and commands beside it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

import httpx
import msgspec
from click.testing import CliRunner

from e2e.ports import free_ports
from micromoment.__main__ import main

WRITE_KEY: Final = "a-write-key"
LONGEST_SECONDS: Final = 60.0


class Running(msgspec.Struct, frozen=True):
    """A running product.

    Args:
        folder: its working folder, with `rules/` and what else lies beside it.
        url: where its collector listens.
        operations_url: where its operators are answered.
    """

    folder: Path
    url: str
    operations_url: str = ""

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside it, from the same folder: in this process, which spares the start of another."""
        status: object = 0
        command = mock.patch.object(sys, "argv", ["micromoment", *arguments])
        with chdir(self.folder), command, CliRunner().isolation() as (out, err, _):
            try:
                main()
            except SystemExit as end:
                status = end.code
        code = status if isinstance(status, int) else 0
        return subprocess.CompletedProcess(arguments, code, out.getvalue().decode(), err.getvalue().decode())

    def run_apart(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside it as a user does: a process of its own, from the same folder."""
        return subprocess.run(
            [sys.executable, "-m", "micromoment", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )

    def sends(self, event: str, visitor: str, **properties: Any) -> None:
        """Send an event as a page does."""
        body = {"writeKey": WRITE_KEY, "event": event, "anonymousId": visitor, "properties": properties}
        httpx.post(f"{self.url}/v1/track", json=body).raise_for_status()

    def has(self, sql: str) -> bool:
        """Wait until a query counts something."""
        ends = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < ends:
            if self.run("sql", sql, "--format", "TSV").stdout.strip() not in {"", "0"}:
                return True
            time.sleep(0.02)
        return False


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Run the product in a folder until the block ends."""
    port, operations_port = free_ports(2)
    (folder / "micromoment.toml").write_text(
        f"collector_port = {port}\noperations_port = {operations_port}\n"
        f'[sites.shop]\nwrite_key = "{WRITE_KEY}"\nurl = "https://shop.example"\n'
        'identity = "off"\n'
    )
    product = Running(folder, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{operations_port}")
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "micromoment", "up"], cwd=folder, stdout=log, stderr=log)
        try:
            _wait_until_ready(product, process)
            yield product
        finally:
            process.terminate()
            process.wait(LONGEST_SECONDS)


def _wait_until_ready(product: Running, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx.get(f"{product.url}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError((product.folder / "up.log").read_text())

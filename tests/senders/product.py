"""The product that the SDKs of others send to: a process of its own, on either engine, with a site for each test."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from collector.sites import IdentityMode
from e2e.ports import free_ports
from micromoment.engine.client import EngineClient
from micromoment.engine.protocol import socket_path
from warehouse.connection import Warehouse, connect

_SITES: Final = 150
_MODES: Final[tuple[IdentityMode, ...]] = ("required", "optional", "off")
_ANY_RATE: Final = "rate_per_second = 0"
_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02


class SenderSite:
    """A site that one test sends to.

    Args:
        name: of the site.
        identity: its setting of this name.
    """

    def __init__(self, name: str, identity: IdentityMode = "required") -> None:
        self.name = name
        self.identity = identity
        self.write_key = f"{name}-key"
        self.server_key = f"mms_the-server-key-of-{name}"
        self.identity_secret = f"the-identity-secret-of-{name}"


class Product:
    """A running `micromoment up`.

    Args:
        folder: an empty folder to run in.
        clickhouse: the data source name of its database; '' for the embedded engine.
        settings: lines of the file of settings, beside the usual; any rate, unless they say otherwise.
    """

    def __init__(self, folder: Path, clickhouse: str, settings: str = _ANY_RATE) -> None:
        self.folder = folder
        self._clickhouse = clickhouse
        self._server: Warehouse | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        collector, operations = free_ports(2)
        self.port = collector
        self.url = f"http://127.0.0.1:{collector}"
        self._operations_url = f"http://127.0.0.1:{operations}"
        (folder / "rules").mkdir()
        lines = [
            f'clickhouse = "{clickhouse or f"chdb://{folder}/clickhouse"}"',
            f'data_folder = "{folder}/var"',
            f'rules_folder = "{folder}/rules"',
            f'public_url = "{self.url}"',
            f"collector_port = {collector}",
            f"operations_port = {operations}",
            settings,
            *(_site_settings(SenderSite(f"{mode}{number}", mode)) for mode in _MODES for number in range(_SITES)),
        ]
        (folder / "micromoment.toml").write_text("\n".join(lines))

    def start(self) -> None:
        """Start it, and wait until it takes events."""
        command = [sys.executable, "-m", "micromoment", "up", "--config", str(self.folder / "micromoment.toml")]
        environment = {name: text for name, text in os.environ.items() if not name.startswith("MICROMOMENT_")}
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self._wait(self._is_ready, "the product is not ready")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it for good."""
        self.kill()
        if self._server is not None:
            self._server.close()

    def new_site(self, identity: IdentityMode = "required") -> SenderSite:
        """Return a site that nobody has sent to, with its setting `identity`."""
        return SenderSite(f"{identity}{next(self._numbers)}", identity)

    def events(self, site: SenderSite, columns: str = "*") -> list[dict[str, Any]]:
        """Return the events of a site in ClickHouse, once all that were acknowledged are there, by their times."""
        self._wait(self._has_moved, "events stay in the journal")
        chosen = f"WHERE site = '{site.name}'"
        rows = self.rows(f"SELECT {columns} FROM events FINAL {chosen} ORDER BY ts, event_id")
        # The feed's rows never merge: a second copy of an event would be seen there.
        counted = "toUInt32(count()) AS stored, toUInt32(uniqExact(event_id)) AS different"
        (fed,) = self.rows(f"SELECT {counted} FROM event_feed {chosen}")
        assert (fed["stored"], fed["different"]) == (len(rows), len(rows)), f"{len(rows)} events; in the feed: {fed}"
        return rows

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        if self._clickhouse:
            self._server = self._server or connect(self._clickhouse)
            answer = self._server.export(query, "JSONEachRow")
        else:
            answer = EngineClient(socket_path(str(self.folder / "var"))).export(query, "JSONEachRow")
        return [json.loads(line) for line in answer.splitlines()]

    def figure(self, name: str) -> float:
        """Return one of the product's figures; 0 for one that it does not have yet."""
        lines = httpx.get(f"{self._operations_url}/metrics", timeout=10).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def _has_moved(self) -> bool:
        return self.figure('micromoment_journal_rows{table="events"}') == 0

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "output.log").read_text()[-2000:]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).is_success
        except httpx.TransportError:
            return False

    def _wait(self, is_so: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"{otherwise}; see {self.folder}/output.log"
            time.sleep(_POLL_SECONDS)


def _site_settings(site: SenderSite) -> str:
    return "\n".join(
        (
            f"[sites.{site.name}]",
            f'write_key = "{site.write_key}"',
            f'server_key = "{site.server_key}"',
            f'identity_secret = "{site.identity_secret}"',
            f'identity = "{site.identity}"',
        )
    )


@contextmanager
def running_product(folder: Path, clickhouse: str, settings: str = _ANY_RATE) -> Iterator[Product]:
    """Run the product until the block ends."""
    product = Product(folder, clickhouse, settings)
    try:
        product.start()
        yield product
    finally:
        product.stop()

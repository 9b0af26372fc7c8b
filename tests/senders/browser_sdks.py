"""The SDKs of others that run in pages, each loaded in Chromium by a page of a shop at an origin of its own."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from tests.senders.installed import node_sdk
from tests.senders.relay import Relay

_PATIENCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02
_PAGE: Final = b'<!doctype html><meta charset="utf-8"><title>Tents</title><script src="/sdk.js"></script><h1>Tents</h1>'


class _Handler(BaseHTTPRequestHandler):
    script: bytes

    def do_GET(self) -> None:
        is_script = self.path == "/sdk.js"
        body = self.script if is_script else _PAGE
        self.send_response_only(200)
        self.send_header("Content-Type", "text/javascript" if is_script else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def serving_shop(sdk: Path) -> Iterator[str]:
    """Serve a shop whose every page loads an SDK, and yield its address, until the block ends."""
    handler = type("Handler", (_Handler,), {"script": sdk.read_bytes()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class BrowserSdk:
    """An SDK of pages, in one of its ways to send.

    Args:
        name: as tests name it.
        package, file: the npm package, and the file of it that the page loads.
        load: a function of JavaScript that loads it, of `{url, host, key}`, and leaves it at `window.sdk`.
        paths: those at which it sends events.
        names_zone: whether it names the time zone, rather than the distance of its clock from Greenwich.
        at_once: events that a page may tell before the earlier ones are answered, so that the SDK lets go of none.
    """

    name: str
    package: str
    file: str
    load: str
    paths: tuple[str, ...]
    names_zone: bool = True
    at_once: int = 50

    @property
    def script(self) -> Path:
        """The file that the page loads."""
        return node_sdk(self.package, self.file)

    def load_in(self, page: Page, url: str, key: str) -> None:
        """Load the SDK in a page, pointed at an address with a write key."""
        page.evaluate(self.load, {"url": url, "host": url.partition("://")[2], "key": key})


def call(page: Page, *calls: tuple[Any, ...]) -> None:
    """Make calls of the SDK, each a method with its arguments, one after another."""
    page.evaluate("async (calls) => { for (const [name, ...rest] of calls) await window.sdk[name](...rest) }", calls)


def wait_for(is_so: Callable[[], bool], page: Page, otherwise: Callable[[], str]) -> None:
    """Wait until something is so, while the page lives on."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, otherwise()
        page.wait_for_timeout(1000 * _POLL_SECONDS)


def wait_for_events(relay: Relay, page: Page, count: int) -> None:
    """Wait until so many different events were acknowledged."""
    wait_for(
        lambda: len(relay.acknowledged) >= count,
        page,
        lambda: json.dumps([(each.path, each.status, each.body.decode()[:300]) for each in relay.exchanges], indent=1),
    )


def _segment(name: str, strategy: str, paths: tuple[str, ...]) -> BrowserSdk:
    load = """async ({url, host, key}) => {
      window.errors = [];
      const options = {apiHost: host + "/v1", protocol: "http", %s};
      const integrations = {"Segment.io": options};
      window.sdk = AnalyticsNext.AnalyticsBrowser.load({writeKey: key, cdnURL: url}, {integrations});
      window.sdk.on("error", (error) => window.errors.push(String(error.reason ?? error.code)));
      // It is never ready where its settings are refused.
      await Promise.race([window.sdk.ready(), new Promise((done) => setTimeout(done, 3000))]).catch(() => undefined);
    }"""
    return BrowserSdk(name, "@segment/analytics-next", "dist/umd/index.js", load % strategy, paths)


def _rudder(name: str, options: str, paths: tuple[str, ...], at_once: int = 50) -> BrowserSdk:
    load = """({url, key}) => new Promise((done) => {
      window.sdk = new rudderanalytics.RudderAnalytics();
      window.sdk.load(key, url, {configUrl: url, logLevel: "ERROR", %s});
      window.sdk.ready(() => done());
      setTimeout(done, 3000);
    })"""
    file = "dist/npm/modern/bundled/umd/index.js"
    return BrowserSdk(name, "@rudderstack/analytics-js", file, load % options, paths, names_zone=False, at_once=at_once)


SEGMENT_SINGLE: Final = _segment(
    "analytics-next 1.84.3, single requests", "", tuple(f"/v1/{letter}" for letter in "tipgas")
)
SEGMENT_BATCHES: Final = _segment(
    "analytics-next 1.84.3, batches",
    'deliveryStrategy: {strategy: "batching", config: {size: 5, timeout: 200}}',
    ("/v1/b",),
)
_KINDS: Final = ("track", "identify", "page", "group", "alias")
RUDDER_SINGLE: Final = _rudder("analytics-js 3.34.1, single requests", "", tuple(f"/v1/{kind}" for kind in _KINDS))
RUDDER_BATCHES: Final = _rudder(
    "analytics-js 3.34.1, batches",
    "queueOptions: {batch: {enabled: true, maxItems: 5, flushInterval: 200}}",
    ("/v1/batch",),
)
RUDDER_BEACON: Final = _rudder(
    "analytics-js 3.34.1, beacons",
    "useBeacon: true, beaconQueueOptions: {maxItems: 5, flushQueueInterval: 200}",
    ("/beacon/v1/batch",),
    # Beacons under way may have 64 KB together; the SDK drops what the browser refuses beyond.
    at_once=20,
)
#: Events that each SDK sends from one page; `MICROMOMENT_SENDERS=10000` is the long form.
COUNT: Final = int(os.environ.get("MICROMOMENT_SENDERS", "300"))

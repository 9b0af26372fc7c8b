"""An HTTP relay before the collector: it remembers each exchange, and fails as it is told, once for each fault."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_GZIP: Final = b"\x1f\x8b"
_HELD_SECONDS: Final = 60
#: Headers that belong to a connection.
_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True)
class Fault:
    """What becomes of one request that brings events.

    Args:
        status: the answer instead of the collector's; 0 for none: the request is passed on, and its answer is lost.
        code: of the answer.
        retry_after: seconds, 0 for none.
    """

    status: int = 0
    code: str = "busy"
    retry_after: int = 0

    @property
    def body(self) -> bytes:
        """The answer, of the form in which the collector answers errors."""
        return json.dumps({"code": self.code, "message": "try again"}).encode()


@dataclass
class Exchange:
    """A request and its answer.

    Args:
        method, path, headers, body: of the request, headers by their names in lower case.
        status, answer: what the sender got; 0 when its answer was lost.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer: bytes = b""

    @property
    def brings_events(self) -> bool:
        """Whether it is one that sends events."""
        return self.method == "POST" and not self.path.rstrip("/").endswith("/m")

    def said(self) -> dict[str, Any]:
        """Return the JSON of the request."""
        plain = gzip.decompress(self.body) if self.body[:2] == _GZIP else self.body
        said: dict[str, Any] = json.loads(plain)
        return said

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages of the request."""
        said = self.said()
        messages: list[dict[str, Any]] = said.get("batch", [said])
        return messages

    def told(self) -> dict[str, Any]:
        """Return the JSON of the answer."""
        told: dict[str, Any] = json.loads(self.answer)
        return told


@dataclass
class Relay:
    """What was exchanged, and what is to fail.

    Args:
        url: where SDKs send.
        exchanges: each request with its answer, in the order of their ends.
        acknowledged: the messageId of each message that was answered with 200.
        faults: one for each next request that brings events.
        held_after: how many requests that bring events are passed on before `resume` is set; all of them when None.
        begun: how many have come.
    """

    url: str
    exchanges: list[Exchange] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    faults: deque[Fault] = field(default_factory=deque)
    held_after: int | None = None
    begun: int = 0
    resume: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for_turn(self) -> None:
        """Hold a request that brings events, where it is one of those to be held."""
        with self._lock:
            self.begun += 1
            is_held = self.held_after is not None and self.begun > self.held_after
        if is_held:
            self.resume.wait(_HELD_SECONDS)

    @property
    def sendings(self) -> list[Exchange]:
        """The exchanges that brought events."""
        return [each for each in self.exchanges if each.brings_events]

    def sent_ids(self, status: int = 200) -> list[str]:
        """Return the messageId of each message of each request that was answered so."""
        return [message["messageId"] for each in self.sendings if each.status == status for message in each.messages()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    relay: Relay
    upstream: int

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_OPTIONS(self) -> None:
        self._serve()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        exchange = Exchange(self.command, self.path, headers, self.rfile.read(length))
        if exchange.brings_events:
            self.relay.wait_for_turn()
        fault = self._fault() if exchange.brings_events else None
        answered: list[tuple[str, str]] = []
        if fault is None or not fault.status:
            answered = self._pass_on(exchange)
        if fault is not None and fault.status:
            exchange.status, exchange.answer = fault.status, fault.body
            answered = self._headers_of(fault)
        if fault is not None and not fault.status:
            exchange.status = 0
        self.relay.exchanges.append(exchange)
        if exchange.brings_events and exchange.status == 200:
            # What is no JSON by itself, as the forms of posthog-js, is looked at by its own tests.
            with contextlib.suppress(ValueError):
                self.relay.acknowledged.update(str(message.get("messageId", "")) for message in exchange.messages())
        if not exchange.status:
            self.close_connection = True
            return
        # A browser that left does not wait for its answer.
        with contextlib.suppress(ConnectionError):
            self._answer(exchange, answered)

    def _fault(self) -> Fault | None:
        try:
            return self.relay.faults.popleft()
        except IndexError:
            return None

    def _pass_on(self, exchange: Exchange) -> list[tuple[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            sent = {name: value for name, value in exchange.headers.items() if name not in _HOP}
            connection.request(exchange.method, exchange.path, exchange.body or None, sent)
            reply = connection.getresponse()
            exchange.status, exchange.answer = reply.status, reply.read()
            return [(name, value) for name, value in reply.getheaders() if name.lower() not in _HOP]
        return []

    def _headers_of(self, fault: Fault) -> list[tuple[str, str]]:
        origin = self.headers.get("origin")
        readable = [
            ("Access-Control-Allow-Origin", origin or ""),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", "retry-after"),
        ]
        retry = [("Retry-After", str(fault.retry_after))] if fault.retry_after else []
        return [("Content-Type", "application/json"), *retry, *(readable if origin else [])]

    def _answer(self, exchange: Exchange, headers: list[tuple[str, str]]) -> None:
        self.send_response_only(exchange.status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(exchange.answer)))
        self.end_headers()
        self.wfile.write(exchange.answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *arguments: Any) -> None:
        """Say nothing of a sender that left."""


@contextmanager
def relaying(port: int) -> Iterator[Relay]:
    """Relay to a collector on loopback until the block ends."""
    relay = Relay("")
    handler = type("Handler", (_Handler,), {"upstream": port, "relay": relay})
    with _Server(("127.0.0.1", 0), handler) as server:
        relay.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()

"""A push service with one subscribed browser, which decrypts the pushes it receives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from py_vapid import Vapid02
from py_vapid.jwt import decode

from tests.trigger_worker.delivery.channels.http_peer import Request
from tests.trigger_worker.delivery.channels.push_peer import Browser

PATH: Final = "/push/1"


@contextmanager
def running_push_service(port: int) -> Iterator[Browser]:
    """Run a push service until the block ends, and yield the browser with the notifications of signed pushes."""
    browser = Browser(f"http://127.0.0.1:{port}{PATH}")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            authorization = self.headers["Authorization"]
            signed = dict(part.split("=", 1) for part in authorization.removeprefix("vapid ").split(","))
            genuine = self.path == PATH and Vapid02.verify(authorization)
            if genuine:
                headers = {name.lower(): value for name, value in self.headers.items()}
                browser.read(Request(self.requestline, headers, body), decode(signed["t"], signed["k"]))
            self.send_response(HTTPStatus.CREATED if genuine else HTTPStatus.FORBIDDEN)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, name="push service")
    thread.start()
    try:
        yield browser
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

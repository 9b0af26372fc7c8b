"""A provider of text messages that keeps the messages it receives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

ACCOUNT: Final = "AC00000000000000000000000000000001"

#: Forms as they came, by field.
Texts = list[dict[str, str]]


@contextmanager
def running_sms_provider(port: int) -> Iterator[Texts]:
    """Accept text messages as Twilio does until the block ends, and yield the list of them, oldest first."""
    texts: Texts = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            texts.append({name: "".join(values) for name, values in parse_qs(body).items()})
            reply = json.dumps({"sid": f"SM{len(texts):032x}"}).encode()
            self.send_response(HTTPStatus.CREATED)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_arguments: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, name="sms provider")
    thread.start()
    try:
        yield texts
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""A page with the strictest content security policy, which allows only scripts with its nonce."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

from e2e.stack import WRITE_KEY

_NONCE: Final = "c3RyaWN0"
_POLICY: Final = (
    f"default-src 'none'; script-src 'nonce-{_NONCE}' 'strict-dynamic'; style-src 'nonce-{_NONCE}'; "
    "img-src data:; connect-src {collector}; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'"
)
_PAGE: Final = (
    '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Strict</title>'
    "<main><h1>Strict</h1></main>{scripts}</html>"
)
_TAG: Final = f'<script nonce="{_NONCE}" src="{{collector}}/mm.js" data-key="{WRITE_KEY}"></script>'
_MODULE: Final = (
    f'<script nonce="{_NONCE}" type="module">import {{{{ init }}}} from "/mm.mjs"; window.micromoment = init('
    f'{{{{ writeKey: "{WRITE_KEY}", collector: "{{collector}}", nonce: "{_NONCE}" }}}});</script>'
)
_BUNDLE: Final = Path(__file__).parents[1] / "sdk_js" / "dist" / "mm.mjs"


@contextmanager
def strict_pages(collector: str) -> Iterator[str]:
    """Serve `/script`, with the snippet's tag, and `/module`, with the bundle, and yield the origin of both.

    Args:
        collector: the origin of the collector.
    """
    pages = {
        "/script": _PAGE.format(scripts=_TAG.format(collector=collector)),
        "/module": _PAGE.format(scripts=_MODULE.format(collector=collector)),
    }
    handler = partial(_Handler, pages, _POLICY.format(collector=collector))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, pages: dict[str, str], policy: str, *arguments: object) -> None:
        self._pages, self._policy = pages, policy
        super().__init__(*arguments)  # type: ignore[arg-type]  # the server's own three

    def do_GET(self) -> None:
        if self.path == "/mm.mjs":
            self._answer("text/javascript", _BUNDLE.read_bytes())
        else:
            self._answer("text/html; charset=utf-8", self._pages[self.path].encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self, media_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self._policy)
        self.end_headers()
        self.wfile.write(body)

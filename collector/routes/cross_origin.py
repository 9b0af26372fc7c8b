"""Which pages of other origins may send requests and read the answers (CORS): those of the site whose key is used.

A page asks whether it may send before it tells its key, unless the key stands in the address; and an error, such as a
wrong key, may concern no site. What is answered then must tell nobody the origins of a site: where all sites have the
same ones, they decide; else every page may ask, and read that its key is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar.types import Scope

from collector.intake.body import write_key
from collector.routes.sdk_paths import BEGUN_BY_PAGES, CALLED_BY_PAGES
from collector.sites import Site, Sites

_METHODS: Final = ("GET", "OPTIONS", "POST")
#: Those that the SDKs of Segment, RudderStack and Jitsu send, and ours.
_HEADERS: Final = (
    "anonymousid",
    "authorization",
    "content-encoding",
    "content-type",
    "sentat",
    "x-retry-count",
    "x-write-key",
)
#: More of RudderStack's, which tell of its retries: no list names them all.
_HEADER_OF_RUDDER: Final = re.compile(r"rsa-[a-z-]{1,40}")
#: Those that a page may send without asking.
_SAFE_HEADERS: Final = ("accept", "accept-language", "content-language", "content-type")
_MAX_AGE_SECONDS: Final = 900
#: What pages of a shop call or load; of all else, such as figures and the pages of messages, they read nothing.
_FOR_PAGES: Final = ("/v1/batch", "/v1/stream", "/v1/push/", "/v1/callbacks/push/", "/healthz", *BEGUN_BY_PAGES)
_TRACKED: Final = tuple(f"/v1/{kind}" for kind in ("track", "identify", "page", "screen", "group", "alias"))
_SITE: Final = "micromoment.site"

Headers = list[tuple[bytes, bytes]]


def read_by_pages_of(scope: Scope, site: Site) -> None:
    """Let the answer to a request be read by pages that may send for a site, and by no others."""
    _facts(scope)[_SITE] = site


class CrossOrigin:
    """Says which origins may send what, and which may read an answer.

    `*` is answered with the page's own origin: browsers refuse a plain `*` for requests with credentials, as some SDKs
    make them. No cookie means anything here, so nothing is given away.

    Args:
        sites: the sites, each with its origins.
        script_path: where the SDK is, which every page may load.
    """

    def __init__(self, sites: Sites, script_path: str) -> None:
        self._sites = sites
        self._shared = _shared_origins(sites)
        self._for_pages = (*_FOR_PAGES, *_TRACKED, script_path.removesuffix(".js"))
        self._readable = _encoded(
            {
                "access-control-allow-credentials": "true",
                "access-control-expose-headers": "retry-after",
                "access-control-allow-headers": ", ".join(_HEADERS),
                "access-control-allow-methods": ", ".join(_METHODS),
            }
        )

    def answer_headers(self, scope: Scope, origin: bytes) -> Headers:
        """Return what an answer says to a page of this origin: that it may read it, or nothing."""
        if not self._allows(_facts(scope).get(_SITE), scope, origin.decode("latin-1")):
            return [(b"vary", b"Origin")]
        return [*self._readable, (b"access-control-allow-origin", origin), (b"vary", b"Origin")]

    def answer_question(self, scope: Scope, origin: bytes) -> tuple[HTTPStatus, Headers, bytes]:
        """Return the answer to the question of a browser whether a page may send a request."""
        refused = self._refused(scope, origin)
        if refused:
            text = f"Disallowed CORS {', '.join(refused)}".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(text))]
            return HTTPStatus.BAD_REQUEST, [*headers, (b"vary", b"Origin")], text
        allowed = {
            "access-control-max-age": str(_MAX_AGE_SECONDS),
            "vary": "Origin",
            "access-control-allow-credentials": "true",
            "access-control-allow-headers": ", ".join(sorted({*_HEADERS, *_SAFE_HEADERS, *_asked_headers(scope)})),
            "access-control-allow-methods": ", ".join(_METHODS),
        }
        return HTTPStatus.NO_CONTENT, [*_encoded(allowed), (b"access-control-allow-origin", origin)], b""

    def _refused(self, scope: Scope, origin: bytes) -> list[str]:
        """Return what a page may not do of what it asks for."""
        method = header_of(scope, b"access-control-request-method")
        others = _asked_headers(scope) - {*_HEADERS, *_SAFE_HEADERS}
        allowed = {
            "method": not method or method.decode("latin-1") in _METHODS,
            "Origin": self._may_ask(scope, origin.decode("latin-1")),
            "headers": all(_HEADER_OF_RUDDER.fullmatch(name) for name in others),
        }
        return [what for what, is_allowed in allowed.items() if not is_allowed]

    def _may_ask(self, scope: Scope, origin: str) -> bool:
        key = write_key({}, scope["query_string"].decode("latin-1"), None)
        return self._allows(self._sites.with_key(key) if key else None, scope, origin)

    def _allows(self, site: Site | None, scope: Scope, origin: str) -> bool:
        if site is not None:
            return site.allows(origin)
        path = scope["path"]
        is_for_pages = path.startswith(self._for_pages) or path.rstrip("/") in CALLED_BY_PAGES
        return is_for_pages and (self._shared is None or origin in self._shared)


def _shared_origins(sites: Sites) -> frozenset[str] | None:
    """Return the origins of every site, or None when they differ, or when every page may send for one of them."""
    of_each = {frozenset(site.origins) for site in sites}
    (origins, *others) = of_each or {frozenset({"*"})}
    return None if others or "*" in origins else origins


def _asked_headers(scope: Scope) -> set[str]:
    """Return the names of the headers that a page asks to send, in lower case."""
    asked = (header_of(scope, b"access-control-request-headers") or b"").decode("latin-1").lower().split(",")
    return {name.strip() for name in asked if name.strip()}


def header_of(scope: Scope, wanted: bytes) -> bytes | None:
    """Return the first header of a name in lower case, or None."""
    return next((value for name, value in scope["headers"] if name == wanted), None)


def _facts(scope: Scope) -> dict[str, Any]:
    """Return the server's own place in a request for what becomes known about it."""
    facts: dict[str, Any] = scope.setdefault("state", {})
    return facts


def _encoded(headers: Mapping[str, str]) -> Headers:
    return [(name.encode(), value.encode()) for name, value in headers.items()]

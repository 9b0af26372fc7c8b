"""What stands before every route: bounds of addresses, headers of every answer, and an answer to every mistake."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from collector.errors import INTERNAL_ERROR, log_mistake
from collector.routes.cross_origin import CrossOrigin, Headers, header_of
from collector.routes.sdk_paths import CALLED_BY_PAGES

#: Characters of the longest address that anybody needs: it carries a signed token, and where a click leads.
MAX_PATH: Final = 8192
MAX_QUERY: Final = 4096

#: For every answer that does not say otherwise. A browser shows none of them but the pages of messages, which have
#: headers of their own: so nothing may run, load, be framed or be taken for something else.
_ALWAYS: Final[dict[bytes, bytes]] = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
#: A script obeys the policy of the page that loads it, but a worker that of its own answer, and then could not report.
_NOT_OF_SCRIPTS: Final = frozenset({b"content-security-policy"})
_RESOURCE_POLICY: Final = b"cross-origin-resource-policy"
#: What other sites show or call, mail programs among them.
_FOR_OTHER_SITES: Final = ("/v1/", "/array/")
_OWN_ONLY: Final = ("/v1/u/", "/v1/c/")


class Outermost:
    """Passes requests on, and sees to what holds for all of them.

    Args:
        app: answers the requests.
        cross_origin: says which pages may send them, and read the answers.
        failed: called with the code of an answer that was made here instead.
    """

    def __init__(self, app: ASGIApp, cross_origin: CrossOrigin, failed: Callable[[str], None]) -> None:
        self._app = app
        self._cross_origin = cross_origin
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        origin = header_of(scope, b"origin")
        is_question = origin is not None and scope["method"] == "OPTIONS"
        answer = _Answer(send, scope, None if is_question else origin, self._cross_origin)
        if len(scope["path"]) > MAX_PATH or len(scope["query_string"]) > MAX_QUERY:
            self._failed("uri_too_long")
            await answer.fail(HTTPStatus.REQUEST_URI_TOO_LONG, "uri_too_long", "the address is too long")
        elif not scope["query_string"].isascii():
            self._failed("malformed")
            await answer.fail(HTTPStatus.BAD_REQUEST, "malformed", "write what is no ASCII in the address in percent")
        elif origin is not None and is_question:
            await answer.give(*self._cross_origin.answer_question(scope, origin))
        else:
            await self._pass_on(scope, receive, answer)

    async def _pass_on(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:
            log_mistake("request_failed", error)
            self._failed(INTERNAL_ERROR)
            if answer.is_begun:
                raise
            await answer.fail(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR, "this is our mistake; it was logged")


class _Answer:
    """The answer to one request, with the headers that every answer has."""

    def __init__(self, send: Send, scope: Scope, origin: bytes | None, cross_origin: CrossOrigin) -> None:
        self._send = send
        self._scope = scope
        self._origin = origin
        self._cross_origin = cross_origin
        self.is_begun = False

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.is_begun = True
            headers = list(message["headers"])
            headers += self._missing(dict(headers))
            if self._origin is not None:
                headers += self._cross_origin.answer_headers(self._scope, self._origin)
            message["headers"] = headers
        await self._send(message)

    async def fail(self, status: HTTPStatus, code: str, text: str) -> None:
        """Answer with an error."""
        body = msgspec.json.encode({"code": code, "message": text})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await self.give(status, headers, body)

    async def give(self, status: HTTPStatus, headers: Headers, body: bytes) -> None:
        """Answer with a whole answer."""
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    def _missing(self, given: dict[bytes, bytes]) -> Headers:
        is_script = given.get(b"content-type", b"").startswith(b"text/javascript")
        left_out = _NOT_OF_SCRIPTS if is_script else frozenset()
        missing = [pair for pair in _ALWAYS.items() if pair[0] not in given and pair[0] not in left_out]
        if _RESOURCE_POLICY not in given:
            missing.append((_RESOURCE_POLICY, self._resource_policy()))
        return missing

    def _resource_policy(self) -> bytes:
        path = self._scope["path"]
        is_foreign = path.startswith(_FOR_OTHER_SITES) and not path.startswith(_OWN_ONLY)
        is_foreign = is_foreign or path.rstrip("/") in CALLED_BY_PAGES
        return b"cross-origin" if is_foreign else b"same-origin"

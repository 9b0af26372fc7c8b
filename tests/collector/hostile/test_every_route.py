"""Whatever is sent to whichever route: an answer that was meant, and none of ours for a mistake."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.routes import HTTPRoute
from structlog.testing import capture_logs

from collector.app import create_app
from collector.banners.stream_token import StreamTokens
from collector.routes.sdk_paths import CALLED_BY_PAGES
from tests.collector.away import AWAY
from tests.collector.callbacks import SETTINGS
from tests.collector.collector_parts import SDK, SHOP, STRICT, running_parts
from tests.collector.message_links import signed
from tests.collector.messages import NOON
from tests.collector.platforms.shopify_payloads import PATH, WEBHOOK

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
tokens = st.sampled_from(
    [signed(purpose) for purpose in ("open", "click", "unsubscribe", "callback", "push")]
    + [signed("click", target="https://shop.example/"), StreamTokens(b"secret").issue("shop", "cookie", NOON)]
)
damaged = st.builds(lambda token, at, more: token[:at] + more + token[at:], tokens, st.integers(0, 200), texts)
names = tokens | damaged | texts
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
json_bodies = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("writeKey", "batch", "api_key", "properties", "$set", "context", "sentAt", "event", "kind", "address"),
        json_values,
    ),
).map(lambda value: msgspec.json.encode({"writeKey": "shop-key", **value}))
forms = st.dictionaries(texts | st.sampled_from(["choice", "channel", "From", "Body"]), texts, max_size=5).map(
    lambda fields: "&".join(f"{quote(name)}={quote(value)}" for name, value in fields.items()).encode()
)
bodies = st.binary(max_size=200) | json_bodies | forms | json_bodies.map(lambda text: b"data=" + quote(text).encode())
queries = st.binary(max_size=60) | st.builds(
    lambda name, value: f"{name}={quote(value)}".encode(),
    st.sampled_from(["token", "event", "writeKey", "v", "x"]),
    names | st.sampled_from(["shown", "shop-key"]),
)
header_names = st.sampled_from(
    (
        *("origin", "authorization", "content-type", "content-length", "content-encoding", "accept", "accept-language"),
        *("accept-encoding", "user-agent", "x-write-key", "if-none-match", "cookie", "host", "x-forwarded-for", "dnt"),
        *("access-control-request-method", "access-control-request-headers", "webhook-id", "webhook-timestamp"),
        *("webhook-signature", "x-twilio-signature", "sec-purpose", "transfer-encoding", "range", "expect"),
    )
).map(str.encode)
header_values = st.binary(max_size=60) | st.sampled_from(
    (
        *(b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=x"),
        *(
            b"application/json; charset=utf-16",
            b"Basic c2hvcC1rZXk6",
            b"Basic \xff",
            b"https://strict.example",
            b"null",
        ),
        *(b"*", b"-1", b"9" * 50, b"gzip", b"https://strict.example", b"de;q=x, en;q=nan", b"1795348800"),
    )
)
headers = st.lists(st.tuples(header_names, header_values), max_size=6)
methods = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "Q"])

#: How each route's path is filled in; a route that is not here fails a test, so that nobody forgets it.
PATHS: Final[dict[str, st.SearchStrategy[str]]] = {
    "/": st.just("/"),
    "/healthz": st.just("/healthz"),
    "/readyz": st.just("/readyz"),
    "/mm.js": st.just("/mm.js"),
    "/mm.abc123def456.js": st.just("/mm.abc123def456.js"),
    "/mm-banner.js": st.just("/mm-banner.js"),
    "/v1/batch": st.just("/v1/batch"),
    **{
        f"/v1/{kind}": st.sampled_from([f"/v1/{kind}", f"/v1/{kind}/"])
        for kind in ("track", "identify", "page", "screen", "group", "alias")
    },
    **{path: st.sampled_from([path, f"{path}/"]) for path in sorted(CALLED_BY_PAGES)},
    "/v1/projects/{key:str}/settings": (names | st.just("shop-key")).map("/v1/projects/{}/settings".format),
    "/array/{token:str}/config": (names | st.just("shop-key")).map("/array/{}/config".format),
    "/array/{token:str}/config.js": (names | st.just("shop-key")).map("/array/{}/config.js".format),
    "/v1/stream": st.just("/v1/stream"),
    "/v1/push/key": st.just("/v1/push/key"),
    "/v1/callbacks/sms": st.just("/v1/callbacks/sms"),
    "/v1/callbacks/email": st.just("/v1/callbacks/email"),
    "/v1/webhooks/{name:str}/{token:str}": st.builds("/v1/webhooks/{}/{}".format, names, names) | st.just(PATH),
    "/v1/o/{name:str}": names.map("/v1/o/{}.gif".format),
    "/v1/c/{name:str}": names.map("/v1/c/{}".format),
    "/v1/a/{name:str}": names.map("/v1/a/{}".format),
    "/v1/u/{name:str}": names.map("/v1/u/{}".format),
    "/v1/callbacks/sms/{token:str}": names.map("/v1/callbacks/sms/{}".format),
    "/v1/callbacks/push/{token:str}": names.map("/v1/callbacks/push/{}".format),
}


class Answer(msgspec.Struct):
    """What a server would pass on."""

    starts: int = 0
    status: int = 0
    headers: dict[str, str] = {}
    body: bytes = b""


class Served:
    """An application that is asked as a server asks it, one request after another."""

    def __init__(self, app: Litestar, runner: asyncio.Runner) -> None:
        self.app = app
        self._runner = runner

    def ask(self, method: str, path: str, query: bytes, sent: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        """Return the answer to a request whose sender leaves once it has sent its body."""
        return self._runner.run(self._ask(method, path, query, sent, body))

    async def _ask(self, method: str, path: str, query: bytes, sent: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        answer = Answer()
        events: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return events.pop() if events else {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            if event["type"] == "http.response.start":
                answer.starts += 1
                answer.status = int(event["status"])
                answer.headers = {name.decode().lower(): value.decode("latin-1") for name, value in event["headers"]}
            else:
                answer.body += event["body"]

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "root_path": "",
            "query_string": query,
            "headers": sent,
            "scheme": "http",
            "client": ("192.0.2.1", 1),
            "asgi": {},
            "server": ("testserver", 80),
            "http_version": "1.1",
            "extensions": {},
        }
        async with asyncio.timeout(20):
            await self.app(cast(Any, scope), receive, send)
        return answer


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Yield an application whose parts all work but ClickHouse, which is away."""
    with asyncio.Runner() as runner:
        shop = msgspec.structs.replace(SHOP, webhooks=(WEBHOOK,))
        running = running_parts(folder, AWAY, callbacks=SETTINGS, sites=(shop, STRICT))
        parts = runner.run(running.__aenter__())
        try:
            yield Served(create_app(parts, SDK), runner)
        finally:
            runner.run(running.__aexit__(None, None, None))


def routes(app: Litestar) -> set[str]:
    return {re.sub(r"\{(\w+)\}", r"{\1:str}", route.path_format) for route in app.routes}


def trouble(answer: Answer, method: str) -> str:
    """Return what is wrong with an answer to anything at all, or ''."""
    if answer.starts != 1:
        return f"{answer.starts} answers"
    if answer.status >= 500 and msgspec.json.decode(answer.body)["code"] != "warehouse_unavailable":
        return f"{answer.status}: {answer.body[:200]!r}"
    if answer.headers.get("x-content-type-options") != "nosniff":
        return "no headers of every answer"
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    if answer.status >= 400 and is_json and method != "HEAD" and answer.body:
        said = msgspec.json.decode(answer.body, type=dict[str, str])
        return "" if said.keys() == {"code", "message"} else f"an error says {sorted(said)}"
    return ""


def test_every_route_is_asked(tmp_path: Path) -> None:
    with served(tmp_path) as collector:
        assert all(isinstance(route, HTTPRoute) for route in collector.app.routes)
        assert routes(collector.app) == set(PATHS)


@pytest.mark.parametrize("route", sorted(PATHS))
def test_whatever_is_asked_is_answered_as_it_was_meant(tmp_path: Path, route: str) -> None:
    with served(tmp_path) as collector:

        @given(methods, PATHS[route], queries, headers, bodies)
        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        def ask(method: str, path: str, query: bytes, sent: list[tuple[bytes, bytes]], body: bytes) -> None:
            with capture_logs() as logs:
                answer = collector.ask(method, path, query, sent, body)
            assert trouble(answer, method) == ""
            assert [line for line in logs if line["event"] == "request_failed"] == []

        ask()


@given(path=texts.map("/{}".format), query=queries, sent=headers, body=bodies, method=methods)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_leads_nowhere_is_answered_too(
    tmp_path_factory: pytest.TempPathFactory,
    path: str,
    query: bytes,
    sent: list[tuple[bytes, bytes]],
    body: bytes,
    method: str,
) -> None:
    with served(tmp_path_factory.mktemp("nowhere")) as collector:
        assert trouble(collector.ask(method, path, query, sent, body), method) == ""

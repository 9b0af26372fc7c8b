"""What holds for every answer, whatever route gives it."""

from __future__ import annotations

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.routes.outermost import MAX_PATH, MAX_QUERY
from tests.collector.message_links import signed

Client = AsyncTestClient[Litestar]
PLAIN = {"Accept-Encoding": "identity"}
#: An address of each kind of answer: JSON, pages, a picture, a redirect, an error, nothing.
ADDRESSES = [
    *("/healthz", "/readyz", "/", "/v1/push/key", "/v1/stream", "/v1/stream?token=x", "/nowhere", "/v1/batch"),
    *("/v1/u/forged", "/v1/c/forged", "/v1/o/forged.gif", f"/v1/o/{signed('open')}.gif"),
    f"/v1/c/{signed('click', target='https://shop.example/')}",
]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_browser_takes_no_answer_for_something_else_and_keeps_and_frames_none(
    client: Client, address: str
) -> None:
    headers = (await client.get(address, follow_redirects=False)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] in {"same-origin", "cross-origin"}
    names = [name for name, _ in headers.multi_items() if name != "vary"]
    assert len(names) == len(set(names)), "a header twice"


@pytest.mark.parametrize(
    ("address", "policy"),
    [
        ("/v1/o/forged.gif", "cross-origin"),
        ("/v1/batch", "cross-origin"),
        ("/mm.js", "cross-origin"),
        ("/v1/u/forged", "same-origin"),
        ("/readyz", "same-origin"),
    ],
)
async def test_other_sites_load_what_is_there_for_them_and_nothing_else(
    client: Client, address: str, policy: str
) -> None:
    assert (await client.get(address, headers=PLAIN)).headers["cross-origin-resource-policy"] == policy


async def test_a_script_keeps_no_page_and_no_worker_from_working(client: Client) -> None:
    headers = (await client.get("/mm.js", headers=PLAIN)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in headers
    assert headers["cache-control"].startswith("public")


@pytest.mark.parametrize(
    "address", [f"/v1/o/{'a' * MAX_PATH}", f"/v1/batch?writeKey={'%' * MAX_QUERY}", f"/healthz?{'a=1&' * MAX_QUERY}"]
)
async def test_an_address_longer_than_any_that_is_needed_is_not_read(client: Client, address: str) -> None:
    reply = await client.get(address)
    assert (reply.status_code, reply.json()["code"]) == (414, "uri_too_long")

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorSettings
from collector.routes.script import Script, load_sdk
from tests.collector.collector_parts import PART, SCRIPT, client_of, running_parts
from warehouse.connection import Warehouse

Client = AsyncTestClient[Litestar]
PLAIN = {"Accept-Encoding": "identity"}
PINNED = f"/mm.{SCRIPT.digest}.js"


@pytest.mark.parametrize(
    ("path", "script", "lasts"),
    [
        ("/mm.js", SCRIPT, "max-age=300"),
        (PINNED, SCRIPT, "max-age=31536000, immutable"),
        ("/mm-banner.js", PART, "max-age=300"),
        (f"/mm-banner.js?v={PART.digest}", PART, "max-age=31536000, immutable"),
        ("/mm-banner.js?v=000000000000", PART, "max-age=300"),
    ],
)
async def test_each_file_is_served_under_each_of_its_names(
    client: Client, path: str, script: Script, lasts: str
) -> None:
    reply = await client.get(path, headers=PLAIN)
    assert (reply.status_code, reply.content) == (200, script.plain)
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert lasts in reply.headers["cache-control"]
    assert reply.headers["etag"] == f'"{script.digest}"'
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_a_page_of_another_origin_may_import_a_part(client: Client) -> None:
    reply = await client.get("/mm-banner.js", headers={**PLAIN, "Origin": "https://shop.example"})
    assert reply.headers["access-control-allow-origin"] == "https://shop.example"


async def test_a_browser_that_has_it_gets_nothing_again(client: Client) -> None:
    reply = await client.get("/mm.js", headers={"If-None-Match": f'W/"{SCRIPT.digest}"'})
    assert (reply.status_code, reply.content) == (304, b"")
    reply = await client.get("/mm.js", headers={**PLAIN, "If-None-Match": '"an older one"'})
    assert reply.status_code == 200


async def test_a_browser_that_can_unpack_gets_it_packed(client: Client) -> None:
    async with client.stream("GET", "/mm.js", headers={"Accept-Encoding": "br, gzip"}) as reply:
        assert reply.headers["content-encoding"] == "gzip"
        assert reply.headers["vary"] == "Accept-Encoding"
        assert b"".join([part async for part in reply.aiter_raw()]) == SCRIPT.gzipped


async def test_another_hash_is_not_served(client: Client) -> None:
    assert (await client.get("/mm.000000000000.js")).status_code == 404


async def test_the_path_can_be_one_that_ad_blockers_do_not_know(tmp_path: Path, embedded_warehouse: Warehouse) -> None:
    settings = CollectorSettings(script_path="/assets/shop.js")
    async with running_parts(tmp_path, embedded_warehouse, settings=settings) as parts, client_of(parts) as client:
        renamed = ("/assets/shop.js", f"/assets/shop.{SCRIPT.digest}.js", "/assets/shop-banner.js")
        for path, status in (*((path, 200) for path in renamed), ("/mm.js", 404), ("/mm-banner.js", 404)):
            assert (await client.get(path, headers=PLAIN)).status_code == status


def test_the_files_that_ship_are_the_committed_build() -> None:
    sdk = load_sdk()
    assert "banner" in sdk.parts
    for script in (sdk.core, *sdk.parts.values()):
        assert script.plain
        assert gzip.decompress(script.gzipped) == script.plain
        assert hashlib.sha256(script.plain).hexdigest().startswith(script.digest)


@pytest.mark.parametrize("name", ["banner", "push"])
def test_the_core_asks_for_the_parts_that_ship_with_it(name: str) -> None:
    sdk = load_sdk()
    assert sdk.parts[name].digest.encode() in sdk.core.plain

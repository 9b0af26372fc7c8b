"""Confirming an address: a page with a button."""

from __future__ import annotations

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.parts import CollectorParts
from tests.collector.collector_parts import kept_rows
from tests.collector.message_links import signed
from tests.collector.messages import props
from warehouse.journal.tables import ADDRESS_FACTS

Client = AsyncTestClient[Litestar]
LINK = f"/v1/a/{signed('confirm', address='a' * 32)}"


def noted(parts: CollectorParts) -> set[tuple[str, str, str, str]]:
    """Return (site, channel, address, fact) of what was noted."""
    batch = parts.journal.take(ADDRESS_FACTS, 1_000).result(10)
    rows = [msgspec.json.decode(line) for line in batch.lines] if batch else []
    return {(row["site"], row["channel"], row["address"], row["fact"]) for row in rows}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_that_follows_the_link_confirms_nothing(
    client: Client, parts: CollectorParts, method: str
) -> None:
    response = await client.request(method, LINK)
    assert response.status_code == 200
    assert (noted(parts), await kept_rows(parts)) == (set(), [])


async def test_the_page_has_a_button_no_script_and_nobodys_frame(client: Client) -> None:
    response = await client.get(LINK)
    assert '<form method="post">' in response.text
    assert "<button" in response.text
    assert "<strong>shop</strong>" in response.text
    assert "<script" not in response.text
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_the_button_confirms_the_address_and_tells_rules(client: Client, parts: CollectorParts) -> None:
    for _ in range(2):
        response = await client.post(LINK)
        assert response.status_code == 200
        assert 'role="status"' in response.text
    assert noted(parts) == {("shop", "email", "a" * 32, fact) for fact in ("confirmed", "returned")}
    (row,) = await kept_rows(parts)
    assert (row.event, row.visitor_id) == ("address_confirmed", "anna")
    assert props(row) == {"rule": "cart_abandoned", "variant": "plain", "channel": "email"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/a/forged",
        f"/v1/a/{signed('unsubscribe', address='a' * 32)}",
        f"/v1/a/{signed('click', address='a' * 32)}",
        f"/v1/a/{signed('confirm')}",
        LINK[:-2],
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_address_of_nobody_or_for_another_use_leads_nowhere(
    client: Client, parts: CollectorParts, path: str, method: str
) -> None:
    assert (await client.request(method, path)).status_code == 404
    assert noted(parts) == set()


@pytest.mark.parametrize(
    ("language", "title"),
    [("de-AT", "Ist das Ihre Adresse?"), ("fr", "Est-ce votre adresse ?"), ("ja", "Is this your address?")],
)
async def test_the_page_speaks_the_readers_language(client: Client, language: str, title: str) -> None:
    response = await client.get(LINK, headers={"accept-language": language})
    assert title in response.text

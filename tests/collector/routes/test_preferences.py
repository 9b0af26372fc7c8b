"""The way out of a message: one click, or a page to choose on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from collector.feedback.preferences import CHANNELS
from collector.parts import CollectorParts
from collector.rate import RateLimit
from collector.sites import Site
from tests.collector.away import AWAY
from tests.collector.collector_parts import client_of, kept_rows, running_parts
from tests.collector.feedback.test_preferences import store
from tests.collector.journals import full_journal
from tests.collector.message_links import way_out
from tests.collector.messages import NOON, props
from warehouse.connection import Warehouse

Client = AsyncTestClient[Litestar]

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def ticked(page: str) -> set[str]:
    """The boxes of a page that are ticked."""
    return set(re.findall(r'value="(\w+)" checked', page))


async def test_the_page_shows_what_the_reader_said_and_changes_nothing(
    client: Client, parts: CollectorParts, embedded_warehouse: Warehouse
) -> None:
    store(embedded_warehouse, ("anna", "consent", {"marketing": True, "channels": {"sms": False}}))
    response = await client.get(way_out())
    assert response.status_code == 200
    assert ticked(response.text) == {"yes", "email", "push", "banner"}
    assert "<strong>shop</strong>" in response.text
    assert await kept_rows(parts) == []


async def test_the_page_runs_no_script_and_stands_in_nobodys_frame(client: Client) -> None:
    response = await client.get(way_out())
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "<script" not in response.text
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"


async def test_the_page_speaks_the_readers_language(client: Client) -> None:
    response = await client.get(way_out(), headers={"accept-language": "de-AT"})
    assert '<html lang="de">' in response.text
    assert "Sofort abmelden" in response.text


async def test_asking_for_the_head_shows_nothing_and_changes_nothing(client: Client, parts: CollectorParts) -> None:
    assert (await client.request("HEAD", way_out())).status_code == 200
    assert await kept_rows(parts) == []


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart", "empty"])
async def test_one_click_unsubscribes_at_once(client: Client, parts: CollectorParts, encoding: str) -> None:
    if encoding == "multipart":
        response = await client.post(way_out(), files={"List-Unsubscribe": (None, "One-Click")})
    else:
        response = await client.post(way_out(), data=ONE_CLICK if encoding == "urlencoded" else None)
    assert response.status_code == 200
    assert '<p role="status">You are unsubscribed' in response.text
    assert "yes" not in ticked(response.text)
    (row,) = await kept_rows(parts)
    assert (row.event, row.visitor_id, row.message_id) == ("unsubscribed", "anna", "message-1")
    assert props(row) == {
        "rule": "cart_abandoned",
        "channel": "email",
        "variant": "plain",
        "reason": "one_click",
    }


async def test_unsubscribing_twice_counts_once_but_can_be_done_again_later(tmp_path: Path) -> None:
    now = [NOON]
    async with running_parts(tmp_path, AWAY, now_ms=lambda: now[0]) as parts, client_of(parts) as client:
        for seconds in (0, 1, 90):
            now[0] = NOON + seconds * 1000
            assert (await client.post(way_out(), data=ONE_CLICK)).status_code == 200
        assert [row.ts[14:19] for row in await kept_rows(parts)] == ["00:00", "01:30"]


async def test_the_form_stores_every_no(client: Client, parts: CollectorParts) -> None:
    response = await client.post(way_out(), data={"choice": "save", "channel": ["email", "banner", "carrier_pigeon"]})
    assert response.status_code == 200
    assert ticked(response.text) == {"email", "banner"}
    assert '<p role="status">Saved' in response.text
    (row,) = await kept_rows(parts)
    assert (row.event, row.visitor_id, row.message_id) == ("consent", "anna", "message-1")
    assert props(row) == {
        "rule": "cart_abandoned",
        "channel": "email",
        "variant": "plain",
        "source": "preference_page",
        "marketing": False,
        "channels": {"sms": False, "push": False},
    }


async def test_who_comes_back_is_taken_back(client: Client, parts: CollectorParts) -> None:
    refused = await client.post(way_out(), data={"choice": "save", "channel": list(CHANNELS)})
    assert 'name="off" value="marketing"' in refused.text
    await client.post(
        way_out(), data={"choice": "save", "off": "marketing", "marketing": "yes", "channel": list(CHANNELS)}
    )
    said = [(props(row)["marketing"], props(row).get("channels")) for row in await kept_rows(parts)]
    assert said == [(False, None), (True, {"email": True})]


async def test_saving_what_was_shown_says_nothing(client: Client, parts: CollectorParts) -> None:
    unchanged = {"choice": "save", "marketing": "yes", "channel": list(CHANNELS)}
    assert "Saved" in (await client.post(way_out(), data=unchanged)).text
    assert await kept_rows(parts) == []


async def test_the_channel_that_is_left_is_the_one_that_the_message_came_by(
    client: Client, parts: CollectorParts
) -> None:
    await client.post(way_out(channel="sms"), data=ONE_CLICK)
    (row,) = await kept_rows(parts)
    assert props(row)["channel"] == "sms"


async def test_a_name_of_a_rule_or_site_is_never_markup(tmp_path: Path) -> None:
    site = "<script>alert(1)</script>"
    sites = (Site(site, "odd-key"),)
    async with running_parts(tmp_path, AWAY, sites=sites) as parts, client_of(parts) as client:
        response = await client.get(way_out(site=site))
        assert "<script" not in response.text
        assert "&lt;script&gt;" in response.text


async def test_while_clickhouse_is_away_readers_can_leave_but_no_guess_is_saved(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY) as parts, client_of(parts) as client:
        shown = await client.get(way_out())
        assert "checkbox" not in shown.text
        assert "Unsubscribe at once" in shown.text
        assert "You are unsubscribed" in (await client.post(way_out(), data=ONE_CLICK)).text
        assert [row.event for row in await kept_rows(parts)] == ["unsubscribed"]


async def test_what_cannot_be_kept_is_not_promised(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, journal=full_journal(tmp_path)) as parts, client_of(parts) as client:
        response = await client.post(way_out(), data=ONE_CLICK)
        assert (response.status_code, response.json()["code"]) == (503, "journal_full")
        assert response.headers["retry-after"] == "5"


async def test_who_asks_too_often_has_to_wait(tmp_path: Path) -> None:
    async with running_parts(tmp_path, AWAY, rate=RateLimit(0.1, 1)) as parts, client_of(parts) as client:
        assert (await client.get(way_out())).status_code == 200
        assert (await client.post(way_out(), data=ONE_CLICK)).status_code == 429


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("multipart/form-data; boundary=x", b"garbage"), ("multipart/form-data", b"garbage")],
)
async def test_a_form_that_cannot_be_read_is_refused(
    client: Client, parts: CollectorParts, content_type: str, body: bytes
) -> None:
    response = await client.post(way_out(), content=body, headers={"content-type": content_type})
    assert response.status_code == 400
    assert await kept_rows(parts) == []

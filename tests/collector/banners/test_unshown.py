from __future__ import annotations

from typing import Any

import pytest

from collector.banners.desk import Banner, Browser
from collector.banners.unshown import unshown_banners
from tests.collector.messages import NOON
from tests.collector.stored_banners import store_banner
from tests.warehouse.rows import event_row, store
from warehouse.connection import Warehouse
from warehouse.event import format_time

COOKIE = Browser("shop", "cookie")


def unshown(warehouse: Warehouse, visitor: Browser = COOKIE, now_ms: int = NOON) -> list[str]:
    return [banner.message_id for banner in unshown_banners(warehouse, visitor, now_ms)]


def test_a_banner_that_was_sent_and_not_shown_is_found_as_it_was_sent(warehouse: Warehouse) -> None:
    store_banner(warehouse, "m")
    assert unshown_banners(warehouse, COOKIE, NOON) == [Banner("m", b'{"message_id":"m"}', NOON + 3_600_000)]


@pytest.mark.parametrize("state", ["shown", "clicked", "dismissed", "cancelled", "failed"])
def test_a_banner_that_got_further_is_not_found(warehouse: Warehouse, state: str) -> None:
    store_banner(warehouse, "m")
    store_banner(warehouse, "m", state)
    assert unshown(warehouse) == []


def test_a_banner_that_was_never_sent_is_not_found(warehouse: Warehouse) -> None:
    store_banner(warehouse, "m", "pending", content='{"message_id":"m"}')
    assert unshown(warehouse) == []


def test_a_banner_that_was_pending_and_then_sent_is_found(warehouse: Warehouse) -> None:
    store_banner(warehouse, "m", "pending")
    store_banner(warehouse, "m")
    assert unshown(warehouse) == ["m"]


@pytest.mark.parametrize(
    "columns",
    [
        {"site": "other"},
        {"visitor_id": "ada", "recipients": ["other cookie"]},
        {"recipients": ["other cookie"]},
        {"channel": "email"},
        {"expires_at": format_time(NOON)},
    ],
    ids=str,
)
def test_what_is_not_for_this_page_now_is_not_found(warehouse: Warehouse, columns: dict[str, Any]) -> None:
    store_banner(warehouse, "m", **columns)
    assert unshown(warehouse) == []


def test_a_banner_for_a_person_is_found_by_a_browser_that_was_meant(warehouse: Warehouse) -> None:
    store(warehouse, event_row(anonymous_id="cookie", user_id="ada"))
    store_banner(warehouse, "m", visitor_id="ada", recipients=["cookie", "phone"])
    assert unshown(warehouse) == ["m"]
    assert unshown(warehouse, Browser("shop", "stranger")) == []


def test_banners_come_oldest_first_and_only_so_many(warehouse: Warehouse) -> None:
    for number in (3, 1, 2, 6, 5, 4):
        store_banner(warehouse, f"m{number}", at=format_time(NOON + number))
    assert unshown(warehouse) == ["m1", "m2", "m3", "m4", "m5"]

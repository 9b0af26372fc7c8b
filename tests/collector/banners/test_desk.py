from __future__ import annotations

from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from collector.banners import desk as banners
from collector.banners.desk import (
    MAX_QUEUED_EACH,
    MAX_STREAMS_EACH,
    MAX_WAITING_EACH,
    Banner,
    BannerDesk,
    Browser,
    TooManyStreams,
    as_json,
    unshown_banners,
)
from collector.metrics import CollectorMetrics
from tests.collector.messages import NOON
from tests.collector.stored_banners import store_banner
from tests.warehouse.rows import event_row, store
from warehouse.connection import Warehouse
from warehouse.event import format_time

ADA, BEN, COOKIE = Browser("shop", "ada"), Browser("shop", "ben"), Browser("shop", "cookie")


def notice(message_id: str, *browsers: Browser, expires_at: int = NOON + 1) -> bytes:
    return msgspec.json.encode(
        {
            "site": browsers[0].site,
            "message_id": message_id,
            "anonymous_ids": [browser.anonymous_id for browser in browsers],
            "expires_at": expires_at,
            "banner": {"message_id": message_id, "title": "<b>plain</b>"},
        }
    )


def banner(message_id: str, expires_at: int = NOON + 1) -> Banner:
    payload = b'{"message_id":"%s","title":"<b>plain</b>"}' % message_id.encode()
    return Banner(message_id, payload, expires_at)


@pytest.fixture
def metrics() -> CollectorMetrics:
    return CollectorMetrics(CollectorRegistry())


@pytest.fixture
def desk(metrics: CollectorMetrics) -> BannerDesk:
    return BannerDesk(metrics)


def waiting(desk: BannerDesk, browser: Browser, now_ms: int = NOON) -> list[str]:
    return [each.message_id for each in desk.collect(browser, now_ms)]


def unshown(warehouse: Warehouse, browser: Browser = COOKIE, now_ms: int = NOON) -> list[str]:
    return [banner.message_id for banner in unshown_banners(warehouse, browser, now_ms)]


def test_every_open_page_of_the_browser_gets_a_banner(desk: BannerDesk) -> None:
    pages = [desk.open(ADA), desk.open(ADA)]
    desk.deliver(notice("m", ADA))
    assert [page.get_nowait() for page in pages] == [banner("m")] * 2
    assert waiting(desk, ADA) == []


@pytest.mark.parametrize("other", [BEN, Browser("other", "ada")])
def test_another_browsers_page_gets_nothing(desk: BannerDesk, other: Browser) -> None:
    page = desk.open(other)
    desk.deliver(notice("m", ADA))
    assert page.empty()
    assert waiting(desk, other) == []
    assert waiting(desk, ADA) == ["m"]


def test_a_banner_reaches_every_id_of_its_person(desk: BannerDesk) -> None:
    page = desk.open(ADA)
    desk.deliver(notice("m", ADA, BEN))
    assert page.get_nowait() == banner("m")
    assert waiting(desk, BEN) == ["m"]


def test_a_banner_waits_for_a_page_and_is_collected_once(desk: BannerDesk) -> None:
    desk.deliver(notice("m", ADA))
    assert desk.collect(ADA, NOON) == [banner("m")]
    assert desk.collect(ADA, NOON) == []


def test_a_banner_that_is_out_of_date_is_not_collected(desk: BannerDesk) -> None:
    desk.deliver(notice("old", ADA, expires_at=NOON))
    desk.deliver(notice("new", ADA, expires_at=NOON + 1))
    assert waiting(desk, ADA, NOON) == ["new"]


def test_only_the_latest_banners_wait(desk: BannerDesk) -> None:
    for number in range(MAX_WAITING_EACH + 2):
        desk.deliver(notice(f"m{number}", ADA))
    assert waiting(desk, ADA) == [f"m{number}" for number in range(2, MAX_WAITING_EACH + 2)]


def test_only_so_many_browsers_are_waited_for(desk: BannerDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banners, "MAX_WAITING_BROWSERS", 2)
    for name in ("first", "second", "third"):
        desk.deliver(notice("m", Browser("shop", name)))
    assert [waiting(desk, Browser("shop", name)) for name in ("first", "second", "third")] == [[], ["m"], ["m"]]


def test_a_page_that_reads_nothing_loses_its_oldest(desk: BannerDesk) -> None:
    page = desk.open(ADA)
    for number in range(MAX_QUEUED_EACH + 1):
        desk.deliver(notice(f"m{number}", ADA))
    assert page.qsize() == MAX_QUEUED_EACH
    assert page.get_nowait() == banner("m1")


def test_a_closed_page_gets_nothing_and_banners_wait_again(desk: BannerDesk) -> None:
    page = desk.open(ADA)
    desk.close(ADA, page)
    desk.deliver(notice("m", ADA))
    assert page.empty()
    assert waiting(desk, ADA) == ["m"]


def test_a_browser_has_so_many_pages_and_no_more(desk: BannerDesk, metrics: CollectorMetrics) -> None:
    pages = [desk.open(ADA) for _ in range(MAX_STREAMS_EACH)]
    with pytest.raises(TooManyStreams):
        desk.open(ADA)
    desk.open(BEN)
    desk.close(ADA, pages[0])
    desk.open(ADA)
    assert metrics.registry.get_sample_value("micromoment_open_streams") == MAX_STREAMS_EACH + 1


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b'{"site": 1}', b'{"site": "\xff"}', notice("m", ADA)[:-5]])
def test_a_notice_that_cannot_be_read_disturbs_nobody(desk: BannerDesk, data: bytes) -> None:
    page = desk.open(ADA)
    desk.deliver(data)
    desk.deliver(notice("next", ADA))
    assert page.get_nowait() == banner("next")


def test_the_banners_json_is_passed_on_as_it_is(desk: BannerDesk) -> None:
    desk.deliver(notice("m", ADA))
    replied: Any = msgspec.json.decode(msgspec.json.encode(as_json(desk.collect(ADA, NOON))))
    assert replied == [{"message_id": "m", "title": "<b>plain</b>"}]


def test_ending_the_streams_tells_those_that_are_open_and_those_that_open_later(desk: BannerDesk) -> None:
    slow = desk.open(ADA)
    for number in range(MAX_QUEUED_EACH):
        desk.deliver(notice(f"m{number}", ADA))
    desk.end_streams()
    heard = [slow.get_nowait() for _ in range(MAX_QUEUED_EACH)]
    assert heard[-1] is None
    assert None not in heard[:-1]
    assert desk.open(BEN).get_nowait() is None


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

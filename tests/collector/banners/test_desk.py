from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from bench.shop import uuid7
from collector.banners import unshown
from collector.banners.banner import Browser, as_json
from collector.banners.desk import MAX_STREAMS_EACH, BannerDesk, TooManyStreams
from collector.banners.kept import KNOWN_FOR_MS, MAX_WAITING_EACH, NEWBORN_MS, SETTLED_AFTER_MS
from collector.banners.unshown import MAX_FOUND_EACH
from collector.metrics import CollectorMetrics
from tests.collector.away import AWAY
from tests.collector.banners.open_pages import OpenPage, quiet
from tests.collector.messages import NOON
from tests.collector.stored_banners import store_banner
from tests.waiting import until
from tests.warehouse.rows import event_row
from warehouse.banner_notice import BannerNotice
from warehouse.connection import Row, Warehouse
from warehouse.event import EventRow, format_time

ADA, BEN, COOKIE = Browser("shop", "ada"), Browser("shop", "ben"), Browser("shop", "cookie")
#: By then what was read is no longer read once more.
SETTLED = NOON + SETTLED_AFTER_MS


class Asked:
    """ClickHouse, with a count of the statements; they wait while `answers` is cleared."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.statements = 0
        self.answers = threading.Event()
        self.answers.set()
        self.warehouse = warehouse

    def query(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        self.statements += 1
        self.answers.wait()
        return self.warehouse.query(sql, parameters)


class Shop:
    """A desk with its clock, and the pages that are open at it."""

    def __init__(self, queries: Any, *, is_alone: bool = True, patience_seconds: float = 60) -> None:
        self.now_ms = NOON
        self.metrics = CollectorMetrics(CollectorRegistry())
        self.desk = BannerDesk(
            queries,
            self.metrics,
            lambda: self.now_ms,
            heartbeat_seconds=60,
            is_alone=is_alone,
            patience_seconds=patience_seconds,
        )
        self.now_ms = SETTLED
        self._pages: list[tuple[Browser, Any, OpenPage]] = []

    def open(self, browser: Browser) -> OpenPage:
        stream = self.desk.open(browser)
        page = OpenPage(stream)
        self._pages.append((browser, stream, page))
        return page

    async def close(self, page: OpenPage) -> None:
        (found,) = [one for one in self._pages if one[2] is page]
        self._pages.remove(found)
        await page.leave()
        self.desk.close(found[0], found[1])

    async def close_all(self) -> None:
        for _, _, page in list(self._pages):
            await self.close(page)

    async def visit(self, browser: Browser) -> list[str]:
        """Open a page, close it once what is known or asked has come, and return which banners it got."""
        page = self.open(browser)
        await until(lambda: not self.desk._questions)
        await quiet()
        await self.close(page)
        return page.names

    def deliver(self, message_id: str, *browsers: Browser, expires_at: int = NOON + 3_600_000) -> None:
        self.desk.take(notice(message_id, *browsers, expires_at=expires_at))

    def shown(self, message_id: str, browser: Browser = COOKIE, event: str = "message_shown") -> None:
        self.desk.hear([event_row(event=event, anonymous_id=browser.anonymous_id, message_id=message_id)], self.now_ms)

    def waiting(self, browser: Browser) -> list[str]:
        return [each.message_id for each in self.desk.collect(browser)]

    def figure(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"micromoment_{name}", labels) or 0


def notice(message_id: str, *browsers: Browser, expires_at: int = NOON + 3_600_000) -> BannerNotice:
    return BannerNotice(
        site=browsers[0].site,
        message_id=message_id,
        anonymous_ids=tuple(browser.anonymous_id for browser in browsers),
        expires_at=expires_at,
        banner=msgspec.Raw(msgspec.json.encode({"message_id": message_id, "title": "<b>plain</b>"})),
    )


@pytest.fixture
def asked(embedded_warehouse: Warehouse) -> Asked:
    return Asked(embedded_warehouse)


@pytest.fixture
async def shop(asked: Asked) -> AsyncIterator[Shop]:
    shop = Shop(asked)
    yield shop
    asked.answers.set()
    await shop.close_all()
    await until(lambda: not shop.desk._questions)


async def test_every_open_page_of_the_browser_gets_a_banner(shop: Shop) -> None:
    pages = [shop.open(ADA), shop.open(ADA)]
    shop.deliver("m", ADA)
    assert [await page.has("m") for page in pages] == [True, True]
    assert b'data: {"message_id":"m","title":"<b>plain</b>"}\r\n\r\n' in pages[0].text
    assert shop.waiting(ADA) == []


@pytest.mark.parametrize("other", [BEN, Browser("other", "ada")])
async def test_another_browsers_page_gets_nothing(shop: Shop, other: Browser) -> None:
    page = shop.open(other)
    shop.deliver("m", ADA)
    await until(lambda: not shop.desk._questions)
    await quiet()
    assert page.names == []
    assert shop.waiting(other) == []
    assert shop.waiting(ADA) == ["m"]


async def test_a_banner_reaches_every_id_of_its_person(shop: Shop) -> None:
    page = shop.open(ADA)
    shop.deliver("m", ADA, BEN)
    assert await page.has("m")
    assert shop.waiting(BEN) == ["m"]


async def test_a_banner_waits_for_a_page_or_a_batch_and_is_collected_once(shop: Shop) -> None:
    shop.deliver("m", ADA)
    assert shop.waiting(ADA) == ["m"]
    assert shop.waiting(ADA) == []
    shop.deliver("n", ADA)
    assert await shop.visit(ADA) == ["m", "n"]
    assert shop.waiting(ADA) == []


async def test_a_banner_that_is_out_of_date_is_given_to_nobody(shop: Shop) -> None:
    shop.deliver("old", ADA, expires_at=SETTLED)
    shop.deliver("new", ADA, expires_at=SETTLED + 1)
    assert shop.waiting(ADA) == ["new"]
    assert await shop.visit(ADA) == ["new"]
    shop.now_ms += 1
    assert await shop.visit(ADA) == []


async def test_only_the_latest_banners_wait(shop: Shop) -> None:
    for number in range(MAX_WAITING_EACH + 2):
        shop.deliver(f"m{number}", ADA)
    assert shop.waiting(ADA) == [f"m{number}" for number in range(2, MAX_WAITING_EACH + 2)]


async def test_a_closed_page_gets_nothing_and_banners_wait_again(shop: Shop) -> None:
    page = shop.open(ADA)
    await shop.close(page)
    shop.deliver("m", ADA)
    await quiet()
    assert page.names == []
    assert shop.waiting(ADA) == ["m"]


async def test_a_browser_has_so_many_pages_and_no_more(shop: Shop) -> None:
    pages = [shop.open(ADA) for _ in range(MAX_STREAMS_EACH)]
    with pytest.raises(TooManyStreams):
        shop.desk.open(ADA)
    shop.open(BEN)
    await shop.close(pages[0])
    shop.open(ADA)
    assert shop.figure("open_streams") == MAX_STREAMS_EACH + 1


async def test_the_banners_json_is_passed_on_as_it_is(shop: Shop) -> None:
    shop.deliver("m", ADA)
    replied: Any = msgspec.json.decode(msgspec.json.encode(as_json(shop.desk.collect(ADA))))
    assert replied == [{"message_id": "m", "title": "<b>plain</b>"}]


async def test_ending_the_streams_ends_those_that_are_open_and_those_that_open_later(shop: Shop) -> None:
    page = shop.open(ADA)
    shop.deliver("m", ADA)
    shop.desk.end_streams()
    later = shop.open(BEN)
    await page.task
    await later.task
    assert (page.names, page.is_ended, later.is_ended) == (["m"], True, True)


async def test_a_browser_that_is_known_costs_no_statement(shop: Shop, asked: Asked) -> None:
    store_banner(asked.warehouse, "stored")
    assert await shop.visit(COOKIE) == ["stored"]
    shop.deliver("live", COOKIE)
    assert [await shop.visit(COOKIE) for _ in range(3)] == [["stored", "live"]] * 3
    assert asked.statements == 1
    assert shop.figure("streams_opened_total", unshown="known") == 3


async def test_a_browser_that_was_made_just_now_costs_no_statement(shop: Shop, asked: Asked) -> None:
    newborn = Browser("shop", uuid7(SETTLED - NEWBORN_MS + 1, 1))
    shop.deliver("early", newborn)
    page = shop.open(newborn)
    assert await page.has("early")
    shop.now_ms += NEWBORN_MS
    assert await shop.visit(newborn) == ["early"]
    assert asked.statements == 0
    assert shop.figure("streams_opened_total", unshown="newborn") == 1


@pytest.mark.parametrize(
    "born",
    [SETTLED - NEWBORN_MS, SETTLED + 1, SETTLED - 400 * 86_400_000],
    ids=["too old", "in the future", "long ago"],
)
async def test_a_browser_that_may_have_been_here_before_is_asked_about(shop: Shop, asked: Asked, born: int) -> None:
    assert await shop.visit(Browser("shop", uuid7(born, 1))) == []
    assert asked.statements == 1


async def test_a_browser_that_was_made_before_this_process_began_is_asked_about(asked: Asked) -> None:
    shop = Shop(asked)
    shop.now_ms = NOON + 1
    assert await shop.visit(Browser("shop", uuid7(NOON, 1))) == []
    assert asked.statements == 1
    assert await shop.visit(Browser("shop", uuid7(NOON + 1, 1))) == []
    assert asked.statements == 1


async def test_many_browsers_that_open_at_once_are_asked_about_in_few_statements(shop: Shop, asked: Asked) -> None:
    browsers = [Browser("shop", f"b{number}") for number in range(100)]
    for browser in browsers[:10]:
        store_banner(asked.warehouse, f"for {browser.anonymous_id}", **addressed(browser))
    pages = [shop.open(browser) for browser in browsers]
    await until(lambda: not shop.desk._questions)
    await quiet()
    assert [page.names for page in pages] == [[f"for b{number}"] for number in range(10)] + [[]] * 90
    assert asked.statements <= 3


async def test_sites_are_asked_about_apart(shop: Shop, asked: Asked) -> None:
    store_banner(asked.warehouse, "here")
    store_banner(asked.warehouse, "there", site="other")
    pages = [shop.open(COOKIE), shop.open(Browser("other", "cookie"))]
    assert [await pages[0].has("here"), await pages[1].has("there")] == [True, True]
    assert asked.statements == 2


async def test_a_banner_that_was_shown_is_offered_no_more_on_any_browser(shop: Shop, asked: Asked) -> None:
    for event in ("message_shown", "message_dismissed", "message_clicked", "message_failed"):
        shop.deliver(event, COOKIE, ADA)
        shop.shown(event, event=event)
    shop.deliver("other", COOKIE, ADA)
    assert [await shop.visit(browser) for browser in (COOKIE, ADA)] == [["other"]] * 2
    assert [shop.waiting(browser) for browser in (COOKIE, ADA)] == [[]] * 2


async def test_events_that_are_not_about_an_outcome_take_no_banner_away(shop: Shop) -> None:
    shop.deliver("m", COOKIE)
    shop.shown("m", event="view_item")
    shop.desk.hear([event_row(event="message_shown"), elsewhere("m")], NOON)
    assert shop.waiting(COOKIE) == ["m"]


async def test_a_banner_that_was_shown_is_not_offered_because_clickhouse_has_not_heard_of_it(
    shop: Shop, asked: Asked
) -> None:
    store_banner(asked.warehouse, "m")
    asked.answers.clear()
    page = shop.open(COOKIE)
    await until(lambda: asked.statements == 1)
    shop.shown("m")
    asked.answers.set()
    await until(lambda: not shop.desk._questions)
    await quiet()
    assert page.names == []
    assert await shop.visit(COOKIE) == []


async def test_a_message_that_is_sent_once_more_after_it_failed_is_offered_again(shop: Shop) -> None:
    shop.deliver("m", COOKIE)
    shop.shown("m", event="message_failed")
    shop.deliver("m", COOKIE)
    assert await shop.visit(COOKIE) == ["m"]


async def test_a_banner_that_comes_while_clickhouse_is_asked_is_given_once(shop: Shop, asked: Asked) -> None:
    store_banner(asked.warehouse, "stored")
    asked.answers.clear()
    page = shop.open(COOKIE)
    await until(lambda: asked.statements == 1)
    shop.deliver("stored", COOKIE)
    shop.deliver("live", COOKIE)
    assert await page.has("stored", "live")
    asked.answers.set()
    assert await shop.visit(COOKIE) == ["stored", "live"]
    assert page.names == ["stored", "live"]
    assert asked.statements == 1


async def test_a_page_does_not_wait_long_for_clickhouse(asked: Asked) -> None:
    shop = Shop(asked, patience_seconds=0.01)
    store_banner(asked.warehouse, "stored")
    asked.answers.clear()
    shop.deliver("here", COOKIE)
    page = shop.open(COOKIE)
    assert await page.has("here")
    assert shop.figure("unshown_late_total") == 1
    asked.answers.set()
    assert await page.has("here", "stored")
    await shop.close_all()


async def test_a_page_gets_what_is_here_when_clickhouse_is_away() -> None:
    shop = Shop(AWAY)
    shop.deliver("here", COOKIE)
    page = shop.open(COOKIE)
    assert await page.has("here")
    shop.deliver("live", COOKIE)
    assert await page.has("here", "live")
    assert shop.figure("unshown_queries_total", outcome="failed") == 1
    await shop.close_all()


async def test_a_page_gets_what_is_here_when_too_many_are_asked_about(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unshown, "MAX_ASKED", 2)
    shop = Shop(asked)
    pages = [shop.open(Browser("shop", f"b{number}")) for number in range(2)]
    shop.deliver("here", COOKIE)
    page = shop.open(COOKIE)
    assert await page.has("here")
    assert shop.figure("streams_opened_total", unshown="not_asked") == 1
    await until(lambda: not shop.desk._questions)
    store_banner(asked.warehouse, "stored")
    assert await shop.visit(COOKIE) == ["stored", "here"]
    assert [other.names for other in pages] == [[], []]
    await shop.close_all()


async def test_a_page_that_leaves_while_clickhouse_is_asked_is_not_waited_for(shop: Shop, asked: Asked) -> None:
    asked.answers.clear()
    page = shop.open(COOKIE)
    await until(lambda: asked.statements == 1)
    await shop.close(page)
    asked.answers.set()
    assert await shop.visit(COOKIE) == []
    assert page.names == []


async def test_a_banner_still_waits_for_a_batch_when_the_page_left_before_clickhouse_answered(
    shop: Shop, asked: Asked
) -> None:
    shop.deliver("m", COOKIE)
    asked.answers.clear()
    page = shop.open(COOKIE)
    await until(lambda: asked.statements == 1)
    await shop.close(page)
    asked.answers.set()
    await until(lambda: not shop.desk._questions)
    assert shop.waiting(COOKIE) == ["m"]


async def test_a_banner_that_clickhouse_does_not_have_for_long_is_offered_no_more(shop: Shop) -> None:
    shop.deliver("erased", COOKIE)
    assert await shop.visit(COOKIE) == ["erased"]
    shop.now_ms += KNOWN_FOR_MS + 1
    assert await shop.visit(COOKIE) == []


async def test_what_was_known_is_asked_again_when_the_bus_may_have_lost_notices(shop: Shop, asked: Asked) -> None:
    assert await shop.visit(COOKIE) == []
    store_banner(asked.warehouse, "lost")
    assert await shop.visit(COOKIE) == []
    shop.desk.forget_all()
    shop.now_ms += 1
    assert await shop.visit(COOKIE) == ["lost"]


async def test_a_read_that_began_before_the_bus_lost_notices_makes_nobody_known(shop: Shop, asked: Asked) -> None:
    asked.answers.clear()
    page = shop.open(COOKIE)
    await until(lambda: asked.statements == 1)
    shop.desk.forget_all()
    asked.answers.set()
    await until(lambda: not shop.desk._questions)
    await shop.close(page)
    shop.now_ms += 1
    await shop.visit(COOKIE)
    assert asked.statements == 2


async def test_nobody_is_known_for_ever(shop: Shop, asked: Asked) -> None:
    await shop.visit(COOKIE)
    shop.now_ms += KNOWN_FOR_MS - 1
    await shop.visit(COOKIE)
    assert asked.statements == 1
    store_banner(asked.warehouse, "astray")
    shop.now_ms += 1
    assert await shop.visit(COOKIE) == ["astray"]


async def test_what_is_read_right_after_the_start_is_read_once_more_later(shop: Shop, asked: Asked) -> None:
    shop.now_ms = NOON + 1
    assert [await shop.visit(COOKIE) for _ in range(2)] == [[], []]
    assert asked.statements == 1
    store_banner(asked.warehouse, "sent before the start")
    shop.now_ms = SETTLED
    assert [await shop.visit(COOKIE) for _ in range(2)] == [["sent before the start"]] * 2
    assert asked.statements == 2


async def test_a_browser_with_more_banners_than_are_read_is_not_known(shop: Shop, asked: Asked) -> None:
    for number in range(MAX_FOUND_EACH + 1):
        store_banner(asked.warehouse, f"m{number}", at=format_time(NOON + number))
    assert await shop.visit(COOKIE) == [f"m{number}" for number in range(MAX_FOUND_EACH)]
    store_banner(asked.warehouse, "m0", "shown")
    shop.shown("m0")
    assert await shop.visit(COOKIE) == [f"m{number}" for number in range(1, MAX_FOUND_EACH + 1)]


async def test_beside_other_collectors_a_banner_that_was_shown_there_is_not_offered_here(asked: Asked) -> None:
    shop = Shop(asked, is_alone=False)
    shop.deliver("m", COOKIE, ADA)
    store_banner(asked.warehouse, "m", recipients=["cookie", "ada"])
    store_banner(asked.warehouse, "m", "shown")
    assert await shop.visit(COOKIE) == ["m"], "ClickHouse may not have it yet"
    shop.now_ms += SETTLED_AFTER_MS + 1
    assert await shop.visit(COOKIE) == []
    asked.statements = 0
    assert await shop.visit(COOKIE) == []
    assert asked.statements == 0


def addressed(browser: Browser) -> dict[str, Any]:
    return {"visitor_id": browser.anonymous_id, "recipients": [browser.anonymous_id]}


def elsewhere(message_id: str) -> EventRow:
    return event_row(site="other", event="message_shown", anonymous_id="cookie", message_id=message_id)

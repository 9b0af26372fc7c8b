from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from collector.banners.banner import Banner, Browser
from collector.banners.unshown import (
    MAX_ASKED,
    MAX_BROWSERS_A_QUERY,
    MAX_FOUND_EACH,
    MAX_QUERIES_AT_ONCE,
    UnshownReader,
    unshown_banners,
)
from collector.metrics import CollectorMetrics
from tests.collector.messages import NOON
from tests.collector.stored_banners import store_banner
from tests.waiting import until
from tests.warehouse.rows import event_row, store
from warehouse.connection import Row, Warehouse
from warehouse.errors import WarehouseUnavailable
from warehouse.event import format_time


def unshown(warehouse: Warehouse, anonymous_id: str = "cookie", now_ms: int = NOON) -> list[str]:
    found = unshown_banners(warehouse, "shop", [anonymous_id], now_ms)
    assert set(found) <= {anonymous_id}
    return [banner.message_id for banner in found.get(anonymous_id, [])]


def test_a_banner_that_was_sent_and_not_shown_is_found_as_it_was_sent(warehouse: Warehouse) -> None:
    store_banner(warehouse, "m")
    found = unshown_banners(warehouse, "shop", ["cookie"], NOON)
    assert found == {"cookie": [Banner("m", b'{"message_id":"m"}', NOON + 3_600_000)]}


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
    assert unshown(warehouse, "stranger") == []


def test_a_browser_that_was_meant_but_is_another_persons_finds_nothing(warehouse: Warehouse) -> None:
    store(warehouse, event_row(anonymous_id="cookie", user_id="ben"))
    store(warehouse, event_row(anonymous_id="phone", user_id="ada"))
    store_banner(warehouse, "m", visitor_id="ada", recipients=["cookie", "phone"])
    found = unshown_banners(warehouse, "shop", ["cookie", "phone"], NOON)
    assert {name: [banner.message_id for banner in banners] for name, banners in found.items()} == {"phone": ["m"]}


def test_banners_come_oldest_first_and_only_so_many(warehouse: Warehouse) -> None:
    for number in (3, 1, 2, 6, 5, 4):
        store_banner(warehouse, f"m{number}", at=format_time(NOON + number))
    assert unshown(warehouse) == [f"m{number}" for number in range(1, MAX_FOUND_EACH + 1)]


def test_many_browsers_find_each_what_each_finds_alone(warehouse: Warehouse) -> None:
    names = [f"b{number}" for number in range(6)]
    store(warehouse, *(event_row(anonymous_id=name, user_id="ada") for name in names[:3]))
    store_banner(warehouse, "for ada", visitor_id="ada", recipients=names[:2])
    for number in range(7):
        store_banner(warehouse, f"m{number}", visitor_id="b1", recipients=["b1"], at=format_time(NOON - number))
    store_banner(warehouse, "for b4", visitor_id="b4", recipients=["b4"])
    store_banner(warehouse, "gone", visitor_id="b5", recipients=["b5"])
    store_banner(warehouse, "gone", "dismissed", visitor_id="b5")
    alone = {name: found[name] for name in names if (found := unshown_banners(warehouse, "shop", [name], NOON))}
    assert unshown_banners(warehouse, "shop", names, NOON) == alone
    assert set(alone) == {"b0", "b1", "b4"}


class Slow:
    """Answers that nothing is found, once it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Semaphore(0)
        self.asked: list[int] = []
        self.running = 0
        self.fails = False

    def query(self, _: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Row]:
        assert parameters is not None
        self.asked.append(len(parameters["anonymous_ids"]))
        self.running += 1
        self.may_answer.acquire()
        self.running -= 1
        if self.fails:
            raise WarehouseUnavailable("nobody there")
        return []


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def reader(slow: Slow) -> UnshownReader:
    return UnshownReader(slow, CollectorMetrics(CollectorRegistry()), lambda: NOON)


async def test_few_queries_run_at_once_and_gather_those_who_come_meanwhile(slow: Slow, reader: UnshownReader) -> None:
    answers: list[Browser] = []
    for number in range(MAX_BROWSERS_A_QUERY * 4 + 1):
        assert reader.ask(Browser("shop", f"b{number}"), lambda browser, _: answers.append(browser))
    await until(lambda: slow.running == MAX_QUERIES_AT_ONCE)
    await asyncio.sleep(0)
    slow.may_answer.release(100)
    await until(lambda: len(answers) == MAX_BROWSERS_A_QUERY * 4 + 1)
    assert slow.asked == [MAX_BROWSERS_A_QUERY] * 4 + [1]


async def test_no_more_are_asked_about_than_may_wait(slow: Slow, reader: UnshownReader) -> None:
    answers: list[Browser] = []
    asked = [
        reader.ask(Browser("shop", f"b{number}"), lambda browser, _: answers.append(browser)) for number in range(6000)
    ]
    room = MAX_ASKED + MAX_QUERIES_AT_ONCE * MAX_BROWSERS_A_QUERY
    assert asked == [True] * room + [False] * (6000 - room)
    slow.may_answer.release(1000)
    await until(lambda: len(answers) == room)


async def test_who_is_asked_about_hears_of_a_failure_too_and_the_next_are_asked_again(
    slow: Slow, reader: UnshownReader
) -> None:
    answers: list[list[Banner] | None] = []
    slow.fails = True
    slow.may_answer.release(2)
    reader.ask(Browser("shop", "first"), lambda _, found: answers.append(found))
    await until(lambda: len(answers) == 1)
    slow.fails = False
    reader.ask(Browser("shop", "second"), lambda _, found: answers.append(found))
    await until(lambda: len(answers) == 2)
    assert answers == [None, []]

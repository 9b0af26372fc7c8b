"""Coupon codes: one for a visitor and a rule, at most once each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trigger_worker.stored import NOON, event_row, person, store
from trigger_worker.delivery.content.engine import MissingFacts
from trigger_worker.delivery.offers import coupon_book
from trigger_worker.delivery.offers.coupon_book import CouponBook, CouponRequest
from trigger_worker.delivery.offers.coupon_pool import CouponError, PoolExhausted
from trigger_worker.store.people import Person
from warehouse.connection import Warehouse

ANNA, BOB, CLEO = person("anna"), person("bob"), person("cleo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spring.txt").write_text("ONE\nTWO\n")
    return tmp_path


def request_of(who: Person, rule: str = "r", pool: str = "spring") -> CouponRequest:
    return CouponRequest(pool, rule, who)


def given(book: CouponBook, *requests: CouponRequest, now: int = NOON) -> list[str]:
    book.give(requests, now)
    return [book.code(each, now) for each in requests]


def test_a_code_has_to_be_looked_for_first(warehouse: Warehouse, folder: Path) -> None:
    with pytest.raises(MissingFacts) as missing:
        CouponBook(warehouse, folder).code(request_of(ANNA), NOON)
    assert missing.value.request == request_of(ANNA)


def test_everybody_gets_a_code_of_their_own_and_keeps_it_over_restarts(warehouse: Warehouse, folder: Path) -> None:
    assert given(CouponBook(warehouse, folder), request_of(BOB), request_of(ANNA)) == ["ONE", "TWO"]
    restarted = CouponBook(warehouse, folder)
    assert given(restarted, request_of(ANNA), request_of(BOB), now=NOON + 1) == ["TWO", "ONE"]
    assert warehouse.query("SELECT count(), uniqExact(code) FROM coupon_assignments FINAL") == [(2, 2)]


def test_each_rule_gives_a_code(warehouse: Warehouse, folder: Path) -> None:
    assert given(CouponBook(warehouse, folder), request_of(ANNA), request_of(ANNA, "other")) == ["ONE", "TWO"]


def test_a_visitor_who_became_known_keeps_the_code(warehouse: Warehouse, folder: Path) -> None:
    given(CouponBook(warehouse, folder), request_of(ANNA))
    assert given(CouponBook(warehouse, folder), request_of(person("u-7", "anna"))) == ["ONE"]


def test_an_exhausted_pool_is_told_and_asked_again_later(warehouse: Warehouse, folder: Path) -> None:
    book = CouponBook(warehouse, folder)
    book.give([request_of(ANNA), request_of(BOB), request_of(CLEO)], NOON)
    assert [book.code(request_of(who), NOON) for who in (ANNA, BOB)] == ["ONE", "TWO"]
    with pytest.raises(PoolExhausted, match="the coupon pool spring has no code left"):
        book.code(request_of(CLEO), NOON)
    (folder / "spring.txt").write_text("ONE\nTWO\nTHREE\n")
    with pytest.raises(MissingFacts):
        book.code(request_of(CLEO), NOON + 1)
    assert given(book, request_of(CLEO), now=NOON + 1) == ["THREE"]


def test_a_pool_that_cannot_be_read_spoils_no_other(warehouse: Warehouse, folder: Path) -> None:
    book = CouponBook(warehouse, folder)
    book.give([request_of(ANNA, pool="winter"), request_of(ANNA)], NOON)
    assert book.code(request_of(ANNA), NOON) == "ONE"
    with pytest.raises(CouponError, match="there is no such coupon pool"):
        book.code(request_of(ANNA, pool="winter"), NOON)


def test_a_code_that_somebody_used_is_given_to_nobody(warehouse: Warehouse, folder: Path) -> None:
    store(warehouse, event_row("purchase", "zoe", coupon="ONE"))
    assert given(CouponBook(warehouse, folder), request_of(ANNA)) == ["TWO"]


def test_no_more_codes_are_remembered_than_needed(
    warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coupon_book, "_REMEMBERED", 1)
    book = CouponBook(warehouse, folder)
    book.give([request_of(ANNA), request_of(BOB)], NOON)
    with pytest.raises(MissingFacts):
        book.code(request_of(ANNA), NOON)
    assert given(book, request_of(ANNA)) == ["ONE"]


def test_a_code_is_redeemed_by_the_first_purchase_that_names_it(warehouse: Warehouse, folder: Path) -> None:
    given(CouponBook(warehouse, folder), request_of(ANNA), request_of(BOB))
    for at, who in ((NOON + 2000, "eve"), (NOON + 1000, "anna")):
        store(warehouse, event_row("purchase", who, at, coupon="one", order_id=f"order-of-{who}"))
    rows = warehouse.query(
        "SELECT code, toUnixTimestamp64Milli(redeemed_at), order_id, redeemed_by FROM coupons ORDER BY code"
    )
    assert rows == [("ONE", NOON + 1000, "order-of-anna", "anna"), ("TWO", None, "", "")]

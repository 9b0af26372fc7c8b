from __future__ import annotations

from datetime import UTC, datetime

from demo_store.account import Account
from demo_store.cart import Cart
from demo_store.checkout import Contact, Order
from demo_store.prices import PAYMENT_OPTIONS, SHIPPING_OPTIONS
from demo_store.session import MAX_ORDERS, Flash, Session, SessionStore

CONTACT = Contact("ada@example.com", "Ada", "Lovelace", "Lane 1", "10115", "Berlin", "Germany")


def order(number: str) -> Order:
    return Order(number, datetime(2026, 11, 22, tzinfo=UTC), Cart(), CONTACT, SHIPPING_OPTIONS[0], PAYMENT_OPTIONS[0])


def test_a_visit_without_anything_in_it_is_not_kept() -> None:
    store = SessionStore()
    assert not store.keep(store.open(None))
    assert len(store) == 0


def test_a_kept_session_is_found_by_its_token_and_stays_when_emptied() -> None:
    store = SessionStore()
    session = store.open(None)
    session.wishlist.append("heron-tarp")
    assert store.keep(session)
    session.wishlist.clear()
    assert store.keep(session)
    assert store.open(session.token) is session


def test_a_token_that_the_shop_did_not_make_is_not_taken_over() -> None:
    assert SessionStore().open("chosen-by-somebody").token != "chosen-by-somebody"


def test_the_session_longest_unseen_makes_room() -> None:
    store = SessionStore(limit=2)
    first, second, third = (Session(token, wishlist=["x"]) for token in ("one", "two", "three"))
    store.keep(first)
    store.keep(second)
    store.open("one")
    store.keep(third)
    assert store.open("one") is first
    assert store.open("two") is not second
    assert len(store) == 2


def test_a_flash_is_taken_once() -> None:
    session = Session("token")
    session.flash.notices.append("Hello")
    session.flash.identity = Account("ada@example.com", "Ada")
    assert session.take_flash().notices == ["Hello"]
    assert session.take_flash() == Flash()


def test_only_the_latest_orders_are_remembered() -> None:
    session = Session("token")
    for number in range(MAX_ORDERS + 3):
        session.keep_order(order(str(number)))
    assert list(session.orders) == [str(number) for number in range(3, MAX_ORDERS + 3)]

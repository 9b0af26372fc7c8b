"""What messages know of a visitor."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trigger_worker.deciding.recipient.permissions import build_permission
from tests.trigger_worker.rules.evaluate.support import NOON, event, ms
from trigger_worker.deciding.recipient.profile import Profile, build_profile
from trigger_worker.deciding.recipient.shopping import CartItem
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History


def profile(*events: Event, contexts: dict[str, list[tuple[int, str]]] | None = None) -> Profile:
    return build_profile("u1", History(events, contexts or {}), NOON + ms("1d"))


def added(after: str, product_id: str = "p1", **fields: Any) -> Event:
    return msgspec.structs.replace(event("add_to_cart", after), fields={"product_id": product_id, **fields})


def removed(after: str, product_id: str = "p1", **fields: Any) -> Event:
    return event("remove_from_cart", after, product_id=product_id, **fields)


def lines(found: Profile) -> list[tuple[str, float]]:
    return [(item.product_id, item.quantity) for item in found.cart.items]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([added("1s"), added("2s")], [("p1", 2)]),
        ([added("1s", "p2"), added("2s", "p1"), added("3s", "p2")], [("p2", 2), ("p1", 1)]),
        ([added("1s", quantity=3), removed("2s", quantity=2)], [("p1", 1)]),
        ([added("1s"), removed("2s")], []),
        ([added("1s"), removed("2s", quantity=9), added("3s")], [("p1", 1)]),
        ([removed("1s"), added("2s")], [("p1", 1)]),
        ([added("1s", quantity=0)], []),
        ([added("1s", quantity=0.5)], [("p1", 0.5)]),
        ([added("1s", quantity="3")], [("p1", 3)]),
        ([added("1s", quantity="some")], [("p1", 1)]),
        ([added("1s", quantity=2), removed("2s", quantity=-1)], [("p1", 1)]),
        ([added("1s", quantity=2), added("2s", quantity=-1)], [("p1", 1)]),
        ([added("1s", quantity=True)], [("p1", 1)]),
        ([added("1s"), event("purchase", "2s"), added("3s", "p2")], [("p2", 1)]),
        ([added("2s"), event("purchase", "1s")], [("p1", 1)]),
        ([added("1s", product_id="")], []),
        ([event("add_to_cart", "1s")], []),
        (
            [event("add_to_cart", "1s", items=[{"product_id": "p1", "quantity": 2}, {"product_id": "p2"}])],
            [("p1", 2), ("p2", 1)],
        ),
        ([event("add_to_cart", "1s", product_id="p1", items=[])], [("p1", 1)]),
        ([event("add_to_cart", "1s", product_id="p1", items="nonsense")], [("p1", 1)]),
        ([event("add_to_cart", "1s", items=["nonsense", {"product_id": "p2"}])], [("p2", 1)]),
        ([added("2d")], []),
    ],
)
def test_the_cart_is_what_was_added_less_what_was_removed_since_the_purchase(
    events: list[Event], expected: list[tuple[str, float]]
) -> None:
    assert lines(profile(*events)) == expected


def test_a_line_knows_what_the_latest_event_says_and_keeps_what_it_leaves_out() -> None:
    cart = profile(
        added("1s", name="Tent", price=90.0, currency="EUR", image="/tent.png", url="/p/tent", category="camping"),
        added("2s", price=100.0),
        added("3s", "p2", name="Mug", quantity=3),
    ).cart
    tent, mug = cart.items
    assert tent == CartItem(
        product_id="p1",
        quantity=2,
        name="Tent",
        category="camping",
        price=100.0,
        value=200.0,
        currency="EUR",
        image="/tent.png",
        url="/p/tent",
    )
    assert (mug.price, mug.value) == (None, None)
    assert (cart.value, cart.quantity, cart.currency) == (190.0, 5, "EUR")


def test_items_share_the_currency_of_their_event() -> None:
    cart = profile(event("add_to_cart", "1s", currency="USD", items=[{"product_id": "p1", "price": 5}])).cart
    assert (cart.currency, cart.value) == ("USD", 5.0)


def test_amounts_of_two_currencies_in_a_cart_are_not_added() -> None:
    yen = {"currency": "JPY", "foreign_currency": "JPY"}
    foreign = event("add_to_cart", "1s", **yen, items=[{"product_id": "p3", "price": 900, "quantity": 2}])
    home = event("add_to_cart", "2s", currency="EUR", items=[{"product_id": "p1", "price": 5}, {"product_id": "p2"}])
    cart = profile(foreign, home).cart
    assert (cart.currency, cart.value, cart.quantity, len(cart.items)) == ("EUR", 5.0, 4, 3)
    # A message to somebody who sees another currency says what they see.
    cart = profile(foreign).cart
    assert (cart.currency, cart.value, cart.quantity) == ("JPY", 1800.0, 2)
    cart = profile(foreign, event("purchase", "3s"), event("add_to_cart", "4s", product_id="p1", value=5.0)).cart
    assert (cart.currency, cart.value) == ("", 5.0)


def test_fields_that_are_no_text_are_left_out_of_a_line() -> None:
    (line,) = profile(added("1s", name={"$": 1}, price="cheap", image=["x"])).cart.items
    assert (line.name, line.price, line.image) == ("", None, "")


def test_traits_are_merged_and_the_latest_wins() -> None:
    visitor = profile(
        event("identify", "1s", traits={"first_name": "Ann", "plan": "free"}),
        event("identify", "2s", traits={"first_name": "Anna"}),
        event("identify", "3s", traits="nonsense"),
        event("identify", "4s"),
    ).visitor
    assert (visitor.id, visitor.first_name) == ("u1", "Anna")
    assert visitor.traits == {"first_name": "Anna", "plan": "free"}


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"first_name": "Anna"}, "Anna"),
        ({"firstName": "Anna"}, "Anna"),
        ({"first_name": "", "firstName": "Anna"}, "Anna"),
        ({"first_name": ["Anna"]}, ""),
        ({"first_name": {"a": 1}}, ""),
        ({}, ""),
    ],
)
def test_a_first_name_is_a_text(traits: dict[str, object], expected: str) -> None:
    assert profile(event("identify", traits=traits)).visitor.first_name == expected


@pytest.mark.parametrize("address", ["anna@example.com", "a.b+c@mail.example.co.uk", "  anna@example.com  "])
def test_an_address_is_kept(address: str) -> None:
    assert profile(event("identify", traits={"email": address})).visitor.email == address.strip()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "anna",
        "@example.com",
        "anna@example",
        "anna@evil.example@example.com",
        "anna@example.com\nBcc: all@example.com",
        "anna@example.com\r\nSubject: x",
        "anna@example.com\x00",
        "anna@example.com, bob@example.com",
        "anna@example.com;bob@example.com",
        '"anna b"@example.com',
        "anna b@example.com",
        "anna(comment)@example.com",
        "anna\\@example.com",
        "a" * 250 + "@example.com",
        None,
        5,
        True,
        ["anna@example.com"],
        {"email": "anna@example.com"},
    ],
)
def test_what_is_no_single_plain_address_is_none(value: object) -> None:
    assert profile(event("identify", traits={"email": value})).visitor.email == ""


def test_a_later_bad_address_is_not_replaced_by_an_earlier_one() -> None:
    found = profile(
        event("identify", "1s", traits={"email": "anna@example.com"}), event("identify", "2s", traits={"email": ""})
    )
    assert found.visitor.email == ""


def test_without_any_word_nothing_is_known() -> None:
    found = profile()
    assert found.permission == build_permission([])
    assert found.order == {}
    assert found.visitor.email == ""


def test_what_is_allowed_is_what_was_said_by_then() -> None:
    refused = event("unsubscribed", "2d")
    assert profile(refused).permission.unsubscribed == frozenset()
    assert profile(msgspec.structs.replace(refused, ts=NOON)).permission.unsubscribed == {"email"}


def test_the_order_is_the_latest_purchase() -> None:
    found = profile(event("purchase", "1s", order_id="o1"), event("purchase", "2s", order_id="o2"))
    assert found.order["order_id"] == "o2"


def test_surroundings_are_those_of_the_instant() -> None:
    contexts = {"timezone": [(NOON, "Europe/Berlin"), (NOON + ms("2d"), "Asia/Tokyo")], "locale": [(NOON, "de")]}
    visitor = profile(contexts=contexts).visitor
    assert (visitor.timezone, visitor.locale) == ("Europe/Berlin", "de")


@given(st.randoms(use_true_random=True))
@settings(max_examples=300, deadline=None)
def test_the_profile_of_somebody_who_goes_on_is_that_of_their_whole_past(random: Random) -> None:
    names = ["add_to_cart", "add_to_cart", "remove_from_cart", "purchase", "view_item", "identify", "consent", "hover"]
    grown, known = History((), {}), list[Event]()
    for number in range(random.randrange(25)):
        fields = {
            "product_id": random.choice("abc"),
            "price": random.choice([1.0, 2.5]),
            "quantity": random.choice([1, 2]),
            "order_id": str(number),
            "traits": {random.choice(["plan", "email"]): random.choice(["a@example.com", "b@example.com"])},
            "marketing": random.random() < 0.5,
        }
        at = NOON + number * ms("3d")
        known.append(Event(random.choice(names), at, f"{number:03}", fields))
        grown.add(known[-1:])
        asked = at if random.random() < 0.8 else at - ms("7d")
        assert build_profile("u1", grown, asked) == build_profile("u1", History(known, {}), asked)


def test_a_decision_looks_at_few_of_many_events() -> None:
    many = [Event("view_item", NOON + number, f"{number:06}", {"product_id": "same"}) for number in range(20_000)]
    history = History(many, {})
    build_profile("u1", history, NOON + 30_000)
    before = history.examined
    history.add([Event("add_to_cart", NOON + 30_000, "cart", {"product_id": "same", "price": 2.0})])
    assert build_profile("u1", history, NOON + 30_000).cart.value == 2.0
    assert history.examined - before < 10

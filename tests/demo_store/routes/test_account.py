from __future__ import annotations

import hashlib
import hmac

import pytest

from demo_store.account import account_id_for
from tests.demo_store.browsing import IDENTITY_SECRET, Visitor

ADA = {"email": "ada@example.com", "first_name": "Ada"}


def test_signing_up_is_announced_once_and_says_who_it_is(visitor: Visitor) -> None:
    page = visitor.send("/sign-up", **ADA)
    assert page.path == "/account"
    assert page.pushes == [{"event": "sign_up", "method": "email"}]
    account_id = account_id_for("ada@example.com")
    signature = hmac.new(IDENTITY_SECRET.encode(), account_id.encode(), hashlib.sha256).hexdigest()
    assert page.identities == [[account_id, ADA, {"hash": signature}]]
    again = visitor.open("/account")
    assert again.pushes == []
    assert again.identities == []


def test_logging_in_anywhere_gives_the_same_account(visitor: Visitor, another_visitor: Visitor) -> None:
    first = visitor.send("/sign-up", **ADA)
    page = another_visitor.send("/log-in", email="ADA@example.com")
    assert page.pushes == [{"event": "login", "method": "email"}]
    assert page.identities == first.identities
    assert "Hello, Ada" in page.text


def test_a_guest_who_writes_the_address_of_an_account_is_not_its_holder(
    visitor: Visitor, another_visitor: Visitor
) -> None:
    another_visitor.send("/sign-up", **ADA)
    visitor.put_into_cart()
    visitor.open("/checkout")
    guest = visitor.send(
        "/checkout", **ADA, last_name="L", street="Lane 1", postcode="1", city="Bern", country="Switzerland"
    )
    assert guest.identities == [[None, ADA, {"hash": ""}]]


@pytest.mark.parametrize(
    ("path", "fields", "complaint"),
    [
        ("/sign-up", {"email": "ada", "first_name": "Ada"}, "such as name@example.com"),
        ("/sign-up", {"email": "ada@example.com", "first_name": " "}, "what to call you"),
        ("/log-in", {"email": "nobody@example.com"}, "no account with this address"),
        ("/log-in", {"email": "nobody"}, "such as name@example.com"),
    ],
)
def test_a_mistake_is_explained_and_announces_nothing(
    path: str, fields: dict[str, str], complaint: str, visitor: Visitor
) -> None:
    page = visitor.send(path, **fields)
    assert page.status_code == 422
    assert complaint in page.text
    assert page.pushes == []
    assert page.identities == []


def test_logging_out_forgets_the_account_and_keeps_the_cart(visitor: Visitor) -> None:
    visitor.send("/sign-up", **ADA)
    visitor.put_into_cart()
    visitor.send("/log-out")
    assert visitor.open("/account").path == "/log-in"
    assert visitor.open("/cart").events == ["view_cart"]


def test_the_page_after_logging_out_says_once_that_somebody_left(visitor: Visitor) -> None:
    visitor.send("/sign-up", **ADA)
    said = 'micromoment("reset");'
    assert said in visitor.send("/log-out").text
    assert said not in visitor.open("/").text


def test_the_account_lists_the_orders_of_this_visit_only(visitor: Visitor, another_visitor: Visitor) -> None:
    visitor.send("/sign-up", **ADA)
    visitor.put_into_cart()
    number = visitor.place_order().path.removeprefix("/thank-you/")
    assert number in visitor.open("/account").text
    assert number not in another_visitor.send("/log-in", email="ada@example.com").text


@pytest.mark.parametrize(("plan", "shown"), [("ridge", True), ("<b>", False)])
def test_a_plan_is_joined_by_its_name(plan: str, shown: bool, visitor: Visitor) -> None:
    assert ("You are joining" in visitor.open(f"/sign-up?plan={plan}").text) is shown
    assert ("Ridge member" in visitor.send("/sign-up", **ADA, plan=plan).text) is shown


def test_a_checkout_starts_with_what_the_account_knows(visitor: Visitor) -> None:
    visitor.send("/sign-up", **ADA)
    visitor.put_into_cart()
    assert 'value="ada@example.com"' in visitor.open("/checkout").text

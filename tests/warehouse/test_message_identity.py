"""The identifiers of a message."""

from __future__ import annotations

from warehouse.message_identity import MessageIdentity
from warehouse.message_token import MessageToken

TOKEN = MessageToken("shop", "m-1", "cart_abandoned", "phone", "email", target="https://shop.example", variant="plain")


def test_identifiers_make_another_type_of_the_same_message() -> None:
    assert MessageIdentity(**TOKEN.identifiers()) == MessageIdentity("shop", "m-1", "cart_abandoned", "phone", "email")


def test_an_identifier_may_be_another_one() -> None:
    assert MessageToken(**TOKEN.identifiers(visitor_id="anna")).visitor_id == "anna"

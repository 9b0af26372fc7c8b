"""Tokens that lead back to a message."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from warehouse.message_token import MAX_TOKEN_LENGTH, MessageToken, MessageTokens

TOKENS = MessageTokens(b"secret")
TOKEN = MessageToken("shop", "message-1", "cart_abandoned", "anna", "email", "https://shop.example/cart", "plain")
#: Every text that JSON can carry: a lone surrogate is none.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.builds(MessageToken, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS), st.sampled_from(["open", "click"]))
def test_a_token_says_what_was_signed(token: MessageToken, purpose: str) -> None:
    assert TOKENS.read(TOKENS.sign(token, purpose), purpose) == token


def test_a_token_stands_in_an_address_as_it_is() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}", TOKENS.sign(TOKEN, "open"))


def test_links_in_mails_that_are_sent_already_keep_working() -> None:
    before_identities = (
        "WyJzaG9wIiwibWVzc2FnZS0xIiwiY2FydF9hYmFuZG9uZWQiLCJhbm5hIiwiZW1haWwiLCJodHRwczovL3Nob3AuZXhhbXBsZS9jYXJ0Iiwi"
        "cGxhaW4iXQ.7mvFjcV6QmdIPcR4y2p1hA"
    )
    assert TOKENS.sign(TOKEN, "click") == before_identities
    assert TOKENS.read(before_identities, "click") == TOKEN


def test_the_same_message_has_the_same_token() -> None:
    assert TOKENS.sign(TOKEN, "open") == TOKENS.sign(TOKEN, "open")


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_token_is_good_for_its_purpose_only(purpose: str, other: str) -> None:
    assume(purpose != other)
    assert TOKENS.read(TOKENS.sign(TOKEN, purpose), other) is None


@given(st.data())
def test_any_change_of_a_character_is_refused(data: st.DataObject) -> None:
    signed = TOKENS.sign(TOKEN, "click")
    place = data.draw(st.integers(0, len(signed) - 1))
    character = data.draw(st.characters())
    assume(character != signed[place])
    assert TOKENS.read(signed[:place] + character + signed[place + 1 :], "click") is None


@given(st.data())
def test_any_more_or_fewer_characters_are_refused(data: st.DataObject) -> None:
    signed = TOKENS.sign(TOKEN, "click")
    place = data.draw(st.integers(0, len(signed)))
    more = data.draw(st.text(max_size=5))
    cut = data.draw(st.integers(0, 5))
    changed = signed[:place] + more + signed[place + cut :]
    assume(changed != signed)
    assert TOKENS.read(changed, "click") is None


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{22}", fullmatch=True))
def test_what_nobody_signed_is_refused(text: str) -> None:
    assert TOKENS.read(text, "click") is None


def test_the_signature_of_another_installation_is_refused() -> None:
    assert TOKENS.read(MessageTokens(b"another").sign(TOKEN, "click"), "click") is None


@pytest.mark.parametrize(("length", "read"), [(10, True), (MAX_TOKEN_LENGTH, False)])
def test_a_token_beyond_all_measure_is_not_looked_at(length: int, read: bool) -> None:
    long = MessageToken("shop", "message-1", "cart_abandoned", "anna", "email", "x" * length)
    assert (TOKENS.read(TOKENS.sign(long, "click"), "click") is not None) is read

"""Tokens that lead back to a message."""

from __future__ import annotations

import base64
import re

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from warehouse.message_token import MAX_TOKEN_LENGTH, SIGNED_UNTIL_MS, MessageToken, MessageTokens

TOKENS = MessageTokens(b"secret")
TOKEN = MessageToken("shop", "message-1", "cart_abandoned", "anna", "email", "https://shop.example/cart", "plain")
NOW = 1_795_348_800_000
PURPOSES = ["open", "click"]
#: The token of the same message, to be followed, as version 0.1 made it.
OF_VERSION_BEFORE = (
    "WyJzaG9wIiwibWVzc2FnZS0xIiwiY2FydF9hYmFuZG9uZWQiLCJhbm5hIiwiZW1haWwiLCJodHRwczovL3Nob3AuZXhhbXBsZS9jYXJ0Iiwi"
    "cGxhaW4iXQ.7mvFjcV6QmdIPcR4y2p1hA"
)
FORMS = st.sampled_from([TOKENS.sign(TOKEN, "click"), OF_VERSION_BEFORE])
#: Every text that JSON can carry: a lone surrogate is none.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.builds(MessageToken, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS), st.sampled_from(["open", "click"]))
def test_a_token_says_what_was_signed(token: MessageToken, purpose: str) -> None:
    assert TOKENS.read(TOKENS.sign(token, purpose), purpose, NOW) == token


def test_a_token_stands_in_an_address_as_it_is() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", TOKENS.sign(TOKEN, "open"))


@given(st.builds(MessageToken, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS), st.sampled_from(PURPOSES))
def test_a_token_shows_nothing_of_what_it_says(token: MessageToken, purpose: str) -> None:
    shown = base64.urlsafe_b64decode(TOKENS.sign(token, purpose) + "==")
    for text in msgspec.structs.astuple(token):
        assert len(text) < 4 or text.encode() not in shown


def test_links_in_mails_that_are_sent_already_keep_working() -> None:
    assert TOKENS.read(OF_VERSION_BEFORE, "click", NOW) == TOKEN
    assert TOKENS.read(OF_VERSION_BEFORE, "click", SIGNED_UNTIL_MS - 1) == TOKEN
    assert TOKENS.read(OF_VERSION_BEFORE, "open", NOW) is None
    assert MessageTokens(b"another").read(OF_VERSION_BEFORE, "click", NOW) is None


def test_links_of_versions_before_end() -> None:
    for at in (SIGNED_UNTIL_MS, SIGNED_UNTIL_MS + 1):
        assert TOKENS.read(OF_VERSION_BEFORE, "click", at) is None
        assert TOKENS.read(TOKENS.sign(TOKEN, "click"), "click", at) == TOKEN


def test_the_same_message_has_the_same_token() -> None:
    assert TOKENS.sign(TOKEN, "open") == TOKENS.sign(TOKEN, "open")


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_token_is_good_for_its_purpose_only(purpose: str, other: str) -> None:
    assume(purpose != other)
    assert TOKENS.read(TOKENS.sign(TOKEN, purpose), other, NOW) is None


@given(st.data(), FORMS)
def test_any_change_of_a_character_is_refused(data: st.DataObject, signed: str) -> None:
    place = data.draw(st.integers(0, len(signed) - 1))
    character = data.draw(st.characters())
    assume(character != signed[place])
    assert TOKENS.read(signed[:place] + character + signed[place + 1 :], "click", NOW) is None


@given(st.data(), FORMS)
def test_any_more_or_fewer_characters_are_refused(data: st.DataObject, signed: str) -> None:
    place = data.draw(st.integers(0, len(signed)))
    more = data.draw(st.text(max_size=5))
    cut = data.draw(st.integers(0, 5))
    changed = signed[:place] + more + signed[place + cut :]
    assume(changed != signed)
    assert TOKENS.read(changed, "click", NOW) is None


@given(
    st.text()
    | st.from_regex(r"[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{22}", fullmatch=True)
    | st.from_regex(r"[A-Za-z0-9_-]{22,90}", fullmatch=True)
)
def test_what_nobody_signed_is_refused(text: str) -> None:
    assert TOKENS.read(text, "click", NOW) is None


def test_the_signature_of_another_installation_is_refused() -> None:
    assert TOKENS.read(MessageTokens(b"another").sign(TOKEN, "click"), "click", NOW) is None


@pytest.mark.parametrize(("length", "read"), [(10, True), (MAX_TOKEN_LENGTH, False)])
def test_a_token_beyond_all_measure_is_not_looked_at(length: int, read: bool) -> None:
    long = MessageToken("shop", "message-1", "cart_abandoned", "anna", "email", "x" * length)
    assert (TOKENS.read(TOKENS.sign(long, "click"), "click", NOW) is not None) is read

from __future__ import annotations

import base64

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collector.banners.stream_token import LIFETIME_MS, Listener, StreamTokens
from tests.collector.messages import NOON

TOKENS = StreamTokens(b"secret")
texts = st.text(alphabet=st.characters(codec="utf-8"))


@given(site=texts, anonymous_id=texts)
def test_a_token_speaks_for_the_one_it_was_issued_to(site: str, anonymous_id: str) -> None:
    token = TOKENS.issue(site, anonymous_id, NOON)
    assert TOKENS.check(token, NOON) == Listener(site, anonymous_id, NOON + LIFETIME_MS)


def test_a_token_is_safe_in_an_address() -> None:
    token = TOKENS.issue("shop", "a/b?c&d=é", NOON)
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_a_token_ends_after_its_lifetime() -> None:
    token = TOKENS.issue("shop", "ada", NOON)
    assert TOKENS.check(token, NOON + LIFETIME_MS - 1) is not None
    assert TOKENS.check(token, NOON + LIFETIME_MS) is None


def test_a_token_of_another_secret_is_worth_nothing() -> None:
    assert StreamTokens(b"other").check(TOKENS.issue("shop", "ada", NOON), NOON) is None


@given(st.integers(0, 10_000), st.sampled_from("ABCabc019-_."))
def test_a_token_with_any_letter_changed_is_worth_nothing(position: int, letter: str) -> None:
    token = TOKENS.issue("shop", "ada", NOON)
    position %= len(token)
    forged = token[:position] + letter + token[position + 1 :]
    found = TOKENS.check(forged, NOON)
    # The last letter of base64 has bits that mean nothing, so a changed letter may be the same signature.
    assert found is None or found == TOKENS.check(token, NOON)


def test_a_signature_does_not_fit_another_visitor_or_site() -> None:
    _, _, signature = TOKENS.issue("shop", "ada", NOON).partition(".")
    for listener in (Listener("shop", "ben", NOON + LIFETIME_MS), Listener("other", "ada", NOON + LIFETIME_MS)):
        body = base64.urlsafe_b64encode(msgspec.json.encode(listener)).rstrip(b"=").decode()
        assert TOKENS.check(f"{body}.{signature}", NOON) is None


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()).map(lambda t: f"{t}.{t}"))
def test_garbage_is_worth_nothing(garbage: str) -> None:
    assert TOKENS.check(garbage, NOON) is None

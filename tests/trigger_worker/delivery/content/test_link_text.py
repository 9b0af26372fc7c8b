"""Changing the addresses in a text, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.delivery.content.link_text import rewrite_addresses


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("Cart: https://shop.example/cart", ["https://shop.example/cart"]),
        ("See https://shop.example/cart.", ["https://shop.example/cart"]),
        ("Our shop (https://shop.example/a_(b)), open", ["https://shop.example/a_(b)"]),
        ("<https://shop.example/a?b=1&c=2#d>, HTTP://SHOP.example!", ["https://shop.example/a?b=1&c=2#d", "HTTP://SHOP.example"]),
        ("“https://shop.example/é”…", ["https://shop.example/é"]),
        ("mailto:a@b.example tel:+49123 ftp://shop.example www.shop.example #top", []),
    ],
)  # fmt: skip
def test_an_address_ends_where_its_sentence_goes_on(text: str, addresses: list[str]) -> None:
    found: list[str] = []

    def note(address: str) -> str:
        found.append(address)
        return address

    assert rewrite_addresses(text, note) == text
    assert found == addresses


def test_only_the_address_is_replaced() -> None:
    assert rewrite_addresses("a (https://shop.example).\nb", lambda _: "X") == "a (X).\nb"


@given(st.text() | st.text(st.sampled_from("https:/.()x \n")))
def test_a_text_whose_addresses_stay_stays(text: str) -> None:
    assert rewrite_addresses(text, lambda address: address) == text

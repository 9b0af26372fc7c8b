from __future__ import annotations

import pytest

from tests.demo_store.browsing import Visitor


def test_a_wish_is_announced_once_and_returns_to_where_it_was_made(visitor: Visitor) -> None:
    page = visitor.send("/wishlist", slug="lodge-chair", back="/category/cabin?sort=name")
    assert page.path == "/category/cabin"
    assert page.events == ["add_to_wishlist", "view_item_list"]
    assert page.push("add_to_wishlist")["ecommerce"]["items"][0]["item_id"] == "TT-5006"
    assert visitor.open("/wishlist").events == []


def test_a_second_tap_takes_the_wish_back(visitor: Visitor) -> None:
    visitor.send("/wishlist", slug="lodge-chair", back="/wishlist")
    page = visitor.send("/wishlist", slug="lodge-chair", back="/wishlist")
    assert page.events == []
    assert "No wishes yet" in page.text


def test_the_wishlist_shows_what_was_wished_for(visitor: Visitor) -> None:
    visitor.send("/wishlist", slug="lodge-chair")
    assert "/p/lodge-chair" in visitor.open("/wishlist").links


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_a_wish_never_leads_to_another_site(back: str, visitor: Visitor) -> None:
    assert visitor.send("/wishlist", slug="lodge-chair", back=back).path == "/p/lodge-chair"

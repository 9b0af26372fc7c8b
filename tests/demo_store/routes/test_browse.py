from __future__ import annotations

from decimal import Decimal

import pytest

from demo_store.catalogue import Catalogue
from demo_store.data_layer import Push
from tests.demo_store.browsing import ORIGIN, Page, Visitor

ATTACKS = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "'-alert(1)-'",
    "\u2028alert(1)",
]


def listed(page: Page) -> list[str]:
    """The article numbers that the page's list names, in order."""
    return [entry["item"]["sku"] for entry in page.structured_of("ItemList")["itemListElement"]]


def item_ids(push: Push) -> list[str]:
    return [item["item_id"] for item in push["ecommerce"]["items"]]


def test_the_front_page_lists_the_bestsellers(visitor: Visitor, catalogue: Catalogue) -> None:
    page = visitor.open("/")
    expected = [product.sku for product in catalogue.bestsellers]
    assert listed(page) == expected
    assert page.events == ["view_item_list"]
    assert item_ids(page.push("view_item_list")) == expected


def test_a_category_lists_its_products_with_their_prices(visitor: Visitor, catalogue: Catalogue) -> None:
    for category in catalogue.categories:
        page = visitor.open(category.path)
        nodes = [entry["item"] for entry in page.structured_of("ItemList")["itemListElement"]]
        prices = {node["sku"]: Decimal(node["offers"]["price"]) for node in nodes}
        assert prices == {product.sku: product.price for product in catalogue.in_category(category)}
        assert page.events == ["view_item_list"]


def test_a_category_is_sorted_and_filtered_as_its_address_says(visitor: Visitor) -> None:
    page = visitor.open("/category/packs?sort=price-down&min_price=40&max_price=130")
    assert listed(page) == ["TT-2001", "TT-2003", "TT-2005"]


def test_the_links_of_a_list_are_those_of_its_structured_data(visitor: Visitor) -> None:
    page = visitor.open("/category/kitchen")
    addresses = [entry["url"] for entry in page.structured_of("ItemList")["itemListElement"]]
    assert {address.removeprefix(ORIGIN) for address in addresses} <= set(page.links)


def test_a_search_says_what_was_searched_and_how_much_was_found(visitor: Visitor) -> None:
    page = visitor.open("/search?q=++wool++")
    push = page.push("view_search_results")
    assert push == {"event": "view_search_results", "search_term": "wool", "results": len(listed(page))}
    assert page.events == ["view_search_results", "view_item_list"]
    assert listed(page)


def test_a_search_without_a_result_says_so(visitor: Visitor) -> None:
    page = visitor.open("/search?q=zebra")
    assert page.pushes == [{"event": "view_search_results", "search_term": "zebra", "results": 0}]
    assert page.structured_of("ItemList")["numberOfItems"] == 0
    assert "Nothing found for" in page.text


def test_an_empty_search_field_is_not_a_search(visitor: Visitor) -> None:
    assert visitor.open("/search?q=+").pushes == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_search_term_is_text_and_nothing_else(attack: str, visitor: Visitor) -> None:
    page = Visitor.open(visitor, str(visitor.client.build_request("GET", "/search", params={"q": attack}).url))
    harmless = visitor.open("/search?q=zebra")
    assert page.push("view_search_results")["search_term"] == " ".join(attack.split())
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in harmless.elements]
    assert [list(named) for _, named in page.elements] == [list(named) for _, named in harmless.elements]


def test_a_search_term_is_cut(visitor: Visitor) -> None:
    assert len(visitor.open(f"/search?q={'a' * 5000}").push("view_search_results")["search_term"]) == 100


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

from __future__ import annotations

from decimal import Decimal

from demo_store.catalogue import Catalogue
from demo_store.structured_data import breadcrumbs, item_list, product, website

ORIGIN = "https://shop.example"


def test_a_product_is_described_with_its_price_and_stock(catalogue: Catalogue) -> None:
    for item in catalogue.products:
        node = product(item, ORIGIN)
        assert node["sku"] == item.sku
        assert node["url"] == ORIGIN + item.path
        assert node["category"] == item.category.name
        assert Decimal(node["offers"]["price"]) == item.price
        assert node["offers"]["priceCurrency"] == "EUR"
        assert node["offers"]["availability"].endswith("InStock" if item.stock else "OutOfStock")


def test_a_list_numbers_its_products(catalogue: Catalogue) -> None:
    node = item_list(catalogue.bestsellers, ORIGIN, "Bestsellers")
    entries = node["itemListElement"]
    assert [entry["position"] for entry in entries] == list(range(1, node["numberOfItems"] + 1))
    assert [entry["item"]["sku"] for entry in entries] == [item.sku for item in catalogue.bestsellers]
    assert all(entry["url"].startswith(f"{ORIGIN}/p/") for entry in entries)


def test_breadcrumbs_lead_inwards() -> None:
    node = breadcrumbs(ORIGIN, [("Home", "/"), ("Cart", "/cart")])
    assert [(entry["position"], entry["item"]) for entry in node["itemListElement"]] == [
        (1, f"{ORIGIN}/"),
        (2, f"{ORIGIN}/cart"),
    ]


def test_the_site_says_how_it_is_searched() -> None:
    action = website(ORIGIN)["potentialAction"]
    assert action["target"]["urlTemplate"] == f"{ORIGIN}/search?q={{search_term_string}}"

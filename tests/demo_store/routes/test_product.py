from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from demo_store.catalogue import Catalogue
from demo_store.routes.product import VIEWS
from tests.demo_store.browsing import ORIGIN, Visitor


def test_every_product_page_tells_its_price_alike_in_structured_data_and_data_layer(
    visitor: Visitor, catalogue: Catalogue
) -> None:
    for product in catalogue.products:
        page = visitor.open(product.path)
        assert page.status_code == 200
        assert Decimal(page.structured_of("Product")["offers"]["price"]) == product.price
        assert page.events == ["view_item"]
        ecommerce = page.push("view_item")["ecommerce"]
        assert ecommerce["value"] == float(product.price)
        assert ecommerce["items"][0]["item_id"] == page.structured_of("Product")["sku"] == product.sku
        assert ecommerce["items"][0]["item_category"] == product.category.name


def test_a_product_page_has_its_tabs_without_any_script(visitor: Visitor) -> None:
    page = visitor.open("/p/ember-down-jacket")
    sections = [named.get("id") for tag, named in page.elements if tag == "section"]
    assert [section for section in sections if section] == ["description", "sizes", "delivery"]


def test_a_related_product_is_told_from_the_product_of_the_page(visitor: Visitor) -> None:
    page = visitor.open("/p/heron-tarp")
    related = [entry["item"]["sku"] for entry in page.structured_of("ItemList")["itemListElement"]]
    assert page.structured_of("Product")["sku"] == "TT-1003"
    assert "TT-1003" not in related


def test_what_is_sold_out_cannot_be_bought(visitor: Visitor) -> None:
    page = visitor.open("/p/hauler-log-carrier")
    assert "disabled" in {name for tag, named in page.elements if tag == "button" for name in named}
    assert "OutOfStock" in page.structured_of("Product")["offers"]["availability"]


@pytest.mark.parametrize("view", [*VIEWS, "panorama"])
def test_every_product_has_a_picture_of_each(view: str, visitor: Visitor, catalogue: Catalogue) -> None:
    for product in catalogue.products:
        response = visitor.client.get(f"{product.image_path}?view={view}")
        assert response.headers["content-type"].startswith("image/svg+xml")
        assert ET.fromstring(response.text).tag == "{http://www.w3.org/2000/svg}svg"


def test_no_two_products_look_the_same(visitor: Visitor, catalogue: Catalogue) -> None:
    pictures = {visitor.client.get(product.image_path).text for product in catalogue.products}
    assert len(pictures) == len(catalogue.products)


def test_a_picture_takes_the_colour_asked_for(visitor: Visitor) -> None:
    assert "#b4532a" in visitor.client.get("/images/fell-28-daypack.svg?colour=rust").text


@pytest.mark.parametrize("query", ["?colour=<script>", "?view=../../secret", "?colour=&view="])
def test_an_unknown_colour_or_view_gives_the_first(query: str, visitor: Visitor) -> None:
    plain = visitor.client.get("/images/fell-28-daypack.svg")
    assert visitor.client.get(f"/images/fell-28-daypack.svg{query}").text == plain.text


def test_a_picture_may_run_nothing(visitor: Visitor) -> None:
    policy = visitor.client.get("/images/heron-tarp.svg").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")


def test_items_are_addressed_absolutely(visitor: Visitor) -> None:
    item = visitor.open("/p/heron-tarp").push("view_item")["ecommerce"]["items"][0]
    assert item["url"] == f"{ORIGIN}/p/heron-tarp"
    assert item["image"] == f"{ORIGIN}/images/heron-tarp.svg"

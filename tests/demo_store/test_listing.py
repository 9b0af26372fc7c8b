from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from demo_store.catalogue import Catalogue, load_catalogue
from demo_store.listing import SORT_LABELS, ListingFilter, apply_filter, parse_filter, search

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("tent", "skylark-2-tent"),
        ("TENTS", "skylark-2-tent"),
        ("boots", "scree-mid-boots"),
        ("down jacket", "ember-down-jacket"),
        ("jacket, down!", "ember-down-jacket"),
        ("mug", "ember-enamel-mug"),
        ("coff", "pour-over-kit"),
    ],
)
def test_search_puts_the_obvious_product_first(query: str, first: str, catalogue: Catalogue) -> None:
    assert search(catalogue.products, query)[0].slug == first


@pytest.mark.parametrize("query", ["", "   ", "!?", "zebra", "tent zebra", "x" * 10_000])
def test_search_finds_nothing_for(query: str, catalogue: Catalogue) -> None:
    assert search(catalogue.products, query) == ()


@given(some.text(max_size=300))
def test_search_takes_any_text(query: str) -> None:
    assert {product.sku for product in search(CATALOGUE.products, query)} <= {
        product.sku for product in CATALOGUE.products
    }


@pytest.mark.parametrize(
    ("sort", "min_price", "max_price", "in_stock", "expected"),
    [
        ("", "", "", "", ListingFilter()),
        ("price-up", "10", "99.50", "yes", ListingFilter("price-up", Decimal(10), Decimal("99.50"), in_stock=True)),
        ("bogus", "ten", "-5", "no", ListingFilter()),
        ("name", "NaN", "Infinity", "1", ListingFilter("name")),
    ],
)
def test_a_filter_is_what_can_be_understood_of_an_address(
    sort: str, min_price: str, max_price: str, in_stock: str, expected: ListingFilter
) -> None:
    assert parse_filter(sort, min_price, max_price, in_stock) == expected


def test_a_filter_keeps_both_bounds(catalogue: Catalogue) -> None:
    listed = apply_filter(catalogue.products, ListingFilter(min_price=Decimal(49), max_price=Decimal(59)))
    assert {product.slug for product in listed} == {"pocket-4-sling", "pour-over-kit", "hearth-felt-slippers"}


def test_a_filter_can_hide_what_is_sold_out(catalogue: Catalogue) -> None:
    assert all(product.stock for product in apply_filter(catalogue.products, ListingFilter(in_stock=True)))
    assert not all(product.stock for product in apply_filter(catalogue.products, ListingFilter()))


@pytest.mark.parametrize("sort", SORT_LABELS)
def test_sorting_loses_nothing(sort: str, catalogue: Catalogue) -> None:
    listed = apply_filter(catalogue.products, ListingFilter(sort=sort))
    assert sorted(product.sku for product in listed) == sorted(product.sku for product in catalogue.products)


def test_sorting_by_price_goes_up_and_down(catalogue: Catalogue) -> None:
    up = [product.price for product in apply_filter(catalogue.products, ListingFilter(sort="price-up"))]
    down = [product.price for product in apply_filter(catalogue.products, ListingFilter(sort="price-down"))]
    assert up == sorted(up)
    assert down == sorted(down, reverse=True)

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from demo_store.catalogue import CATALOGUE_FILE, Catalogue, load_catalogue


def test_it_offers_at_least_28_products_in_at_least_four_categories(catalogue: Catalogue) -> None:
    assert len(catalogue.products) >= 28
    assert len(catalogue.categories) >= 4
    assert all(len(catalogue.in_category(category)) >= 4 for category in catalogue.categories)


@pytest.mark.parametrize("field", ["slug", "sku", "name", "motif"])
def test_no_two_products_share_their(field: str, catalogue: Catalogue) -> None:
    values = [getattr(product, field) for product in catalogue.products]
    assert len(values) == len(set(values))


def test_every_price_is_in_whole_cents_and_above_zero(catalogue: Catalogue) -> None:
    prices = [product.price for product in catalogue.products]
    assert all(price > 0 and price.as_tuple().exponent == -2 for price in prices)


def test_a_list_price_is_above_the_price(catalogue: Catalogue) -> None:
    reduced = [product for product in catalogue.products if product.list_price is not None]
    assert reduced
    assert all(product.on_sale for product in reduced)


def test_prices_lie_on_both_sides_of_a_hundred(catalogue: Catalogue) -> None:
    assert {product.price > 100 for product in catalogue.products} == {True, False}


def test_a_category_is_covered_by_a_product_of_its_own(catalogue: Catalogue) -> None:
    for category in catalogue.categories:
        cover = catalogue.product(category.cover)
        assert cover is not None
        assert cover.category == category


def test_related_products_are_others_of_the_same_category(catalogue: Catalogue) -> None:
    for product in catalogue.products:
        related = catalogue.related_to(product)
        assert len(related) == 4
        assert product not in related
        assert {other.category for other in related} == {product.category}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (("category: cabin", "category: cellar"), "cellar"),
        (("colours: [tarn, moss]", "colours: [tarn, mauve]"), "mauve"),
        (('price: "119.00"', 'price: "cheap"'), "decimal"),
        (("stock: 31", "stock: -1"), "stock"),
        (("motif: tarp", "motive: tarp"), "motive"),
    ],
)
def test_a_wrong_entry_is_refused_by_name(wrong: tuple[str, str], complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(CATALOGUE_FILE.read_text().replace(*wrong))
    with pytest.raises(msgspec.ValidationError, match=complaint):
        load_catalogue(file)

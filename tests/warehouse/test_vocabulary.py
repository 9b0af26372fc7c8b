from __future__ import annotations

import re

import pytest

from warehouse import vocabulary


def test_names_are_snake_case_and_said_once() -> None:
    names = [name for group in vocabulary.EVENT_GROUPS.values() for name in group]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert len(names) == len(set(names)) == len(vocabulary.EVENT_NAMES)


def test_segments_names_lead_to_ours() -> None:
    assert set(vocabulary.SEGMENT_EVENT_NAMES.values()) <= vocabulary.EVENT_NAMES


@pytest.mark.parametrize(
    "name",
    [
        *("Product Added", "product added", "ProductAdded", "productAdded", "product_added", "PRODUCT-ADDED"),
        *("Product  Added", "Added Product", "added_product", "Add To Cart", "addToCart", "add-to-cart", "add_to_cart"),
        *("Wishlist Product Added to Cart", "Wishlist Product Added To Cart"),
    ],
)
def test_a_name_of_commerce_is_known_in_any_case_and_spacing(name: str) -> None:
    assert vocabulary.our_event_name(name) == "add_to_cart"


@pytest.mark.parametrize(
    "name",
    [
        *("Coupon Applied", "Order Updated", "Product List Filtered", "Checkout Step Completed", "Product Reviewed"),
        *("Product Removed from Wishlist", "Identify", "Consent", "Email Opened", "Subscribe", "products.added"),
        *("Product Added Twice", "größe gewählt", "", "   "),
    ],
)
def test_every_other_name_stays_as_it_is(name: str) -> None:
    assert vocabulary.our_event_name(name) == name


def test_no_two_names_of_commerce_differ_in_case_and_spacing_only() -> None:
    folded = [re.sub(r"[\s_-]", "", name).lower() for name in vocabulary.EVENT_NAMES]
    assert len(folded) == len(set(folded))
    assert all(vocabulary.our_event_name(name) == name for name in vocabulary.EVENT_NAMES)


def test_a_field_has_one_home() -> None:
    assert not set(vocabulary.COLUMN_FIELDS) & set(vocabulary.PROPERTY_FIELDS)


def test_what_rules_ask_of_the_visitor_has_a_column() -> None:
    assert set(vocabulary.CONTEXT_FIELDS) <= set(vocabulary.COLUMN_FIELDS)

"""Every name of Segment's ecommerce specification is read, and docs/senders.md says as what."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.vocabulary import EVENT_NAMES, SEGMENT_EVENT_NAMES, our_event_name

PAGE = (Path(__file__).parents[2] / "docs" / "senders.md").read_text(encoding="utf-8")
#: The specification's second version, which RudderStack's is as well.
SPECIFIED = (
    *("Products Searched", "Product List Viewed", "Product List Filtered", "Promotion Viewed", "Promotion Clicked"),
    *("Product Clicked", "Product Viewed", "Product Added", "Product Removed", "Cart Viewed", "Checkout Started"),
    *("Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered", "Order Updated", "Order Completed"),
    *("Order Refunded", "Order Cancelled", "Coupon Entered", "Coupon Applied", "Coupon Denied", "Coupon Removed"),
    *("Product Added to Wishlist", "Product Removed from Wishlist", "Wishlist Product Added to Cart"),
    *("Product Shared", "Cart Shared", "Product Reviewed", "Signed Up", "Signed In"),
)


def documented(name: str) -> str:
    """What the page says that a name of Segment's is here, '' for a custom event."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `") and f"`{name}`" in line]
    return rows[0].split("|")[2] if rows else ""


@pytest.mark.parametrize("name", SPECIFIED)
def test_a_name_of_the_specification_is_what_the_page_says(name: str) -> None:
    ours = our_event_name(name)
    assert f"`{name}`" in PAGE
    assert (f"`{ours}`" in documented(name)) is (ours in EVENT_NAMES)


@pytest.mark.parametrize("name", SPECIFIED)
def test_a_name_is_read_alike_in_each_spelling(name: str) -> None:
    words = name.split()
    spellings = {name.lower(), name.upper(), "".join(words), "_".join(words).lower(), "-".join(words).lower()}
    known = our_event_name(name) in EVENT_NAMES
    assert {our_event_name(each) for each in spellings} == ({our_event_name(name)} if known else spellings)


def test_no_name_is_read_that_the_page_does_not_explain() -> None:
    verb_first = {name for name in SEGMENT_EVENT_NAMES if {*name.split()} in [{*each.split()} for each in SPECIFIED]}
    other = SEGMENT_EVENT_NAMES.keys() - verb_first - set(SPECIFIED)
    assert {name for name in other if f"`{name}`" not in PAGE} == set()

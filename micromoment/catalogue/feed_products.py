"""Turns an item of a feed, in the words of Google Merchant or of Shopify, into a product of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import urljoin

import msgspec

from warehouse.limits import MAX_ID_LENGTH, MAX_TEXT_LENGTH

Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder", ""]
_PRICE: Final = re.compile(r"(?:([A-Za-z]{3})\s*)?(\d[\d.,'\u00a0 ]*)\s*([A-Za-z]{3})?")
_AVAILABILITY: Final[Mapping[str, Availability]] = {
    "instock": "in_stock",
    "available": "in_stock",
    "limitedavailability": "in_stock",
    "outofstock": "out_of_stock",
    "soldout": "out_of_stock",
    "discontinued": "out_of_stock",
    "preorder": "preorder",
    "presale": "preorder",
    "backorder": "backorder",
}


class FeedProduct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product as a feed describes it; what the feed does not say is absent.

    Args:
        price: the usual price.
        sale_price: what it costs now, where that is less.
        stock: how many pieces there are.
    """

    product_id: str
    name: str
    category: str = ""
    price: float | None = None
    sale_price: float | None = None
    currency: str = ""
    image: str = ""
    url: str = ""
    availability: Availability
    stock: float | None = None


def merchant_product(fields: Mapping[str, str], base: str, default_currency: str = "") -> FeedProduct | str:
    """Return the product of an item of Google Merchant, or what it lacks.

    Args:
        fields: by name, without the prefix `g:`; blanks in names may be underscores.
        base: the shop's address, from which links may start.
        default_currency: of a price that names none.
    """
    product_id, name = fields.get("id", ""), fields.get("title", "")
    lacks = _lacks(product_id, name)
    if lacks:
        return lacks
    price, currency = read_price(fields.get("price", ""))
    sale_price, _ = read_price(fields.get("sale_price", ""))
    stock = _number(fields.get("quantity") or fields.get("sell_on_google_quantity") or fields.get("inventory"))
    availability = read_availability(fields.get("availability", ""))
    return FeedProduct(
        product_id=product_id,
        name=name[:MAX_TEXT_LENGTH],
        category=(fields.get("product_type") or fields.get("google_product_category") or "")[:MAX_TEXT_LENGTH],
        price=price,
        sale_price=sale_price if sale_price is not None and (price is None or sale_price < price) else None,
        currency=currency or (default_currency if price is not None else ""),
        image=_address(base, fields.get("image_link", "")),
        url=_address(base, fields.get("link", "")),
        # Whoever names a product without a word on this offers it.
        availability=availability or ("out_of_stock" if stock is not None and stock <= 0 else "in_stock"),
        stock=stock,
    )


def shopify_product(product: Mapping[str, Any], base: str, currency: str) -> FeedProduct | str:
    """Return a product of Shopify's `products.json`, or what it lacks.

    Its price is that of its cheapest variant that can be bought, else of its cheapest.

    Args:
        product: with `variants` and `images`.
        base: the shop's address.
        currency: of the shop, which the file does not say.
    """
    product_id, name = _text(product.get("id")), _text(product.get("title"))
    lacks = _lacks(product_id, name)
    if lacks:
        return lacks
    variants = [each for each in _list(product.get("variants")) if isinstance(each, dict)]
    buyable = [each for each in variants if each.get("available") is not False]
    priced = [(price, each) for each in buyable or variants if (price := _number(each.get("price"))) is not None]
    price, cheapest = min(priced, key=lambda pair: pair[0]) if priced else (None, {})
    before = _number(cheapest.get("compare_at_price"))
    is_reduced = price is not None and before is not None and before > price
    stocks = [count for each in variants if (count := _number(each.get("inventory_quantity"))) is not None]
    handle = _text(product.get("handle"))
    return FeedProduct(
        product_id=product_id,
        name=name[:MAX_TEXT_LENGTH],
        category=_text(product.get("product_type"))[:MAX_TEXT_LENGTH],
        price=before if is_reduced else price,
        sale_price=price if is_reduced else None,
        currency=currency,
        image=_address(base, _picture(product)),
        url=_address(base, f"/products/{handle}" if handle else ""),
        availability="in_stock" if buyable or not variants else "out_of_stock",
        stock=sum(stocks) if stocks else None,
    )


def read_price(text: str) -> tuple[float | None, str]:
    """Return the amount and the currency of a text such as `12.99 EUR`, `EUR 1.299,00` or `12.99`."""
    found = _PRICE.fullmatch(text.strip())
    if not found:
        return None, ""
    digits = re.sub(r"['\u00a0 ]", "", found[2]).rstrip(".,")
    place = max(digits.rfind("."), digits.rfind(","))
    # The last sign is that of decimal places, unless three digits follow it as behind thousands.
    if place >= 0 and (len(digits) - place - 1 != 3 or {".", ","} <= set(digits)):
        digits = f"{re.sub('[.,]', '', digits[:place])}.{digits[place + 1 :]}"
    else:
        digits = re.sub("[.,]", "", digits)
    return float(digits), (found[1] or found[3] or "").upper()


def read_availability(text: str) -> Availability:
    """Return an availability in our words, as Google or schema.org write it; '' for any other text."""
    return _AVAILABILITY.get(re.sub(r"[^a-z]", "", text.rsplit("/", 1)[-1].lower()), "")


def _lacks(product_id: str, name: str) -> str:
    if not product_id:
        return "it has no id"
    if len(product_id) > MAX_ID_LENGTH:
        return f"its id is longer than {MAX_ID_LENGTH} characters"
    return "" if name else "it has no title"


def _address(base: str, link: str) -> str:
    try:
        return urljoin(base, link)[:MAX_TEXT_LENGTH] if link else ""
    except ValueError:
        return ""


def _picture(product: Mapping[str, Any]) -> str:
    pictures = [product.get("image"), *_list(product.get("images"))]
    return next((_text(each.get("src")) for each in pictures if isinstance(each, dict) and each.get("src")), "")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return read_price(value)[0] if isinstance(value, str) else None

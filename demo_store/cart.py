"""The cart of a visitor and its totals; carts are immutable, and each function returns a new one."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from demo_store.catalogue import Colour, Product
from demo_store.prices import FREE_SHIPPING_FROM, ZERO, ShippingOption, discount, to_cents

#: The largest quantity of one variant in a cart.
MAX_QUANTITY = 10
#: The most lines of a cart.
MAX_LINES = 40

_VAT = Decimal("0.19")


class CartLine(msgspec.Struct, frozen=True):
    """A quantity of one variant of a product; `size` is empty when the product has no sizes."""

    product: Product
    colour: Colour
    size: str
    quantity: int

    @property
    def key(self) -> str:
        """Return the key of the variant, which no other variant has."""
        return ":".join((self.product.sku, self.colour.slug, self.size))

    @property
    def variant(self) -> str:
        """Return the name of the variant: its colour and size."""
        return f"{self.colour.name}, {self.size}" if self.size else self.colour.name

    @property
    def amount(self) -> Decimal:
        """Return the price of the whole line, in euros."""
        return self.product.price * self.quantity


class Cart(msgspec.Struct, frozen=True):
    """The cart of a visitor: lines and perhaps a coupon."""

    lines: tuple[CartLine, ...] = ()
    coupon: str | None = None

    def line(self, key: str) -> CartLine | None:
        """Return the line of a key, or None when no line has it."""
        return next((line for line in self.lines if line.key == key), None)

    def quantity_of(self, key: str) -> int:
        """Return the quantity of a variant in the cart."""
        line = self.line(key)
        return line.quantity if line is not None else 0

    @property
    def count(self) -> int:
        """Return the number of articles in the cart, over all variants."""
        return sum(line.quantity for line in self.lines)

    @property
    def goods(self) -> Decimal:
        """Return the worth of the lines before a coupon, in euros."""
        return sum((line.amount for line in self.lines), ZERO)


class Totals(msgspec.Struct, frozen=True):
    """The amounts of a cart or an order, in euros; `total` contains `vat`, and `shipping` is None until chosen."""

    goods: Decimal
    discount: Decimal
    shipping: Decimal | None
    total: Decimal
    vat: Decimal
    missing_for_free_shipping: Decimal

    @property
    def goods_after_discount(self) -> Decimal:
        """Return the worth of the goods after the coupon, in euros."""
        return self.goods - self.discount


def put_line(cart: Cart, line: CartLine) -> Cart:
    """Return the cart with a variant set to the quantity of the line, within stock and limits; 0 removes the line."""
    allowed = max(0, min(line.quantity, MAX_QUANTITY, line.product.stock))
    line = msgspec.structs.replace(line, quantity=allowed)
    if cart.line(line.key) is None:
        lines = (*cart.lines, line) if len(cart.lines) < MAX_LINES else cart.lines
    else:
        lines = tuple(line if present.key == line.key else present for present in cart.lines)
    return msgspec.structs.replace(cart, lines=tuple(kept for kept in lines if kept.quantity > 0))


def set_coupon(cart: Cart, coupon: str | None) -> Cart:
    """Return the cart with a coupon, or without one for None."""
    return msgspec.structs.replace(cart, coupon=coupon)


def total_up(cart: Cart, shipping: ShippingOption | None = None) -> Totals:
    """Return the totals of a cart; without a shipping option, the total excludes shipping.

    VAT is the part of the total that is contained in it: total * rate / (1 + rate).
    """
    off = discount(cart.goods, cart.coupon)
    goods_after_discount = cart.goods - off
    shipping_price = None if shipping is None else shipping.price_for(goods_after_discount)
    total = goods_after_discount + (shipping_price or ZERO)
    return Totals(
        goods=cart.goods,
        discount=off,
        shipping=shipping_price,
        total=total,
        vat=to_cents(total * _VAT / (1 + _VAT)),
        missing_for_free_shipping=max(ZERO, FREE_SHIPPING_FROM - goods_after_discount),
    )

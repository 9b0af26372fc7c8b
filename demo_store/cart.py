"""A cart and its arithmetic. Nothing here changes a cart: each function gives a new one."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from demo_store.catalogue import Colour, Product
from demo_store.checkout_options import FREE_SHIPPING_FROM, ShippingOption, discount
from demo_store.money import ZERO, to_cents

#: More of one variant is not sold to one cart.
MAX_QUANTITY = 10
#: A cart does not take more lines than this.
MAX_LINES = 40

_VAT = Decimal("0.19")


class CartLine(msgspec.Struct, frozen=True):
    """So many of one variant of a product; `size` is empty when the product has no sizes."""

    product: Product
    colour: Colour
    size: str
    quantity: int

    @property
    def key(self) -> str:
        """What tells this variant from every other."""
        return ":".join((self.product.sku, self.colour.slug, self.size))

    @property
    def variant(self) -> str:
        """The variant in words."""
        return f"{self.colour.name}, {self.size}" if self.size else self.colour.name

    @property
    def amount(self) -> Decimal:
        """Price of the whole line."""
        return self.product.price * self.quantity


class Cart(msgspec.Struct, frozen=True):
    """What a visitor means to buy."""

    lines: tuple[CartLine, ...] = ()
    coupon: str | None = None

    def line(self, key: str) -> CartLine | None:
        """Find a line by its key."""
        return next((line for line in self.lines if line.key == key), None)

    def quantity_of(self, key: str) -> int:
        """Tell how many of a variant are in the cart."""
        line = self.line(key)
        return line.quantity if line is not None else 0

    @property
    def count(self) -> int:
        """Number of articles, whatever their kind."""
        return sum(line.quantity for line in self.lines)

    @property
    def goods(self) -> Decimal:
        """Worth of the lines before a coupon."""
        return sum((line.amount for line in self.lines), ZERO)


class Totals(msgspec.Struct, frozen=True):
    """What an order costs; `vat` is contained in `total`."""

    goods: Decimal
    discount: Decimal
    shipping: Decimal | None
    total: Decimal
    vat: Decimal
    missing_for_free_shipping: Decimal

    @property
    def goods_after_discount(self) -> Decimal:
        """Worth of the goods once the coupon is taken off."""
        return self.goods - self.discount


def put_line(cart: Cart, line: CartLine) -> Cart:
    """Let there be as many of a variant as the line says, as far as stock and limits allow; none removes it."""
    allowed = max(0, min(line.quantity, MAX_QUANTITY, line.product.stock))
    line = msgspec.structs.replace(line, quantity=allowed)
    if cart.line(line.key) is None:
        lines = (*cart.lines, line) if len(cart.lines) < MAX_LINES else cart.lines
    else:
        lines = tuple(line if present.key == line.key else present for present in cart.lines)
    return msgspec.structs.replace(cart, lines=tuple(kept for kept in lines if kept.quantity > 0))


def set_coupon(cart: Cart, coupon: str | None) -> Cart:
    """Give the cart a coupon, or take it away."""
    return msgspec.structs.replace(cart, coupon=coupon)


def total_up(cart: Cart, shipping: ShippingOption | None = None) -> Totals:
    """Add up a cart; without a shipping option chosen, shipping is left out of the total."""
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

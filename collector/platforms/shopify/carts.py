"""What Shopify tells of products, and of carts and checkouts before there is an order."""

from __future__ import annotations

from typing import Final

from collector.intake.draft import DropReason
from collector.platforms.facts import browser_of, is_history, present
from collector.platforms.fields import PayloadFields
from collector.platforms.platform import Circumstances, Translation, Who
from collector.platforms.shopify.orders import buyer_of, context_of, coupon_of, items_of
from collector.platforms.shopify.people import tell_customer

_NAMES_NOBODY: Final = "names no browser and no customer: the theme's snippet writes the browser, the pixel tells of it"


def tell_checkout(told: Translation, checkout: PayloadFields, around: Circumstances) -> None:
    """Tell that a checkout was begun; what is typed into it is no address of anybody's until there is an order."""
    token, at = checkout.text("token", "id"), checkout.text("created_at")
    message_id, customer = f"shopify-checkout-{token}", checkout.inner("customer")
    if not token:
        return told.drop(DropReason.MALFORMED, "the checkout has no token")
    if checkout.text("completed_at"):
        return told.drop(DropReason.TOLD_ELSEWHERE, "the checkout is an order: orders/create tells of it", message_id)
    if is_history(at, around):
        return told.drop(DropReason.TOO_OLD, f"the checkout is of {at[:10]}", message_id)
    if not customer.text("id") and not browser_of(checkout.each("note_attributes")):
        return told.drop(DropReason.NO_VISITOR, f"the checkout {_NAMES_NOBODY}", message_id)
    facts = present(
        checkout_id=token,
        value=checkout.number("total_price"),
        currency=checkout.text("currency"),
        coupon=coupon_of(checkout),
        items=items_of(checkout),
    )
    who, context = buyer_of(checkout, around), context_of(checkout)
    told.say("track:begin_checkout", message_id, who, at, properties=facts, context=context)
    if customer:
        tell_customer(told, customer, around, checkout.text("updated_at") or at)
    return None


def tell_cart(told: Translation, cart: PayloadFields, _: Circumstances) -> None:
    """Tell of a cart whose browser is known; most name nobody, and the pixel tells of each step."""
    token, at = cart.text("token", "id"), cart.text("updated_at", "created_at")
    message_id, browser = f"shopify-cart-{token}-{at}", browser_of(cart.each("note_attributes"))
    if not token:
        return told.drop(DropReason.MALFORMED, "the cart has no token")
    if not browser:
        return told.drop(DropReason.NO_VISITOR, f"the cart {_NAMES_NOBODY}", message_id)
    items = items_of(cart)
    value = sum((item.get("price") or 0.0) * (item.get("quantity") or 0.0) for item in items)
    who, facts = Who(browser, agreed=True), present(value=value, items=items)
    told.say("track:cart_updated", message_id, who, at, properties=facts)
    return None


def tell_product(told: Translation, product: PayloadFields, _: Circumstances) -> None:
    """Tell of a product, at the price of its first variant; one that is not for sale is out of stock."""
    product_id, at, handle = product.text("id"), product.text("updated_at", "created_at"), product.text("handle")
    if not product_id or not at:
        return told.drop(DropReason.MALFORMED, "the product has no id, or no updated_at")
    variants = list(product.each("variants"))
    stock = [count for each in variants if (count := each.number("inventory_quantity")) is not None]
    first = next(iter(variants), product)
    facts = present(
        product_id=product_id,
        name=product.text("title"),
        category=product.text("product_type"),
        brand=product.text("vendor"),
        price=first.number("price"),
        sku=first.text("sku"),
        image=product.inner("image").text("src"),
        url=f"/products/{handle}" if handle else "",
        stock=sum(stock) if stock else None,
        is_for_sale=product.text("status") in {"", "active"},
    )
    told.describe(f"shopify-product-{product_id}-{at}", at, facts)
    return None

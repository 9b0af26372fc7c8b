"""What Shopify tells of orders: bought, cancelled, refunded."""

from __future__ import annotations

from typing import Any, Final

from collector.intake.draft import DropReason
from collector.platforms.facts import browser_of, campaign_of, is_history, present, short_items, traits_of
from collector.platforms.fields import PayloadFields
from collector.platforms.platform import Circumstances, Translation, Who
from collector.platforms.shopify.people import tell_customer
from warehouse.time_reading import event_time

#: An order that was cancelled in one of these was never paid.
_UNPAID: Final = frozenset({"pending", "authorized", "expired", "voided"})
#: Transactions of a refund that give money back.
_REFUNDED: Final = frozenset({"success", "pending"})
#: An order may come after its refund; for so long the refund is asked to come again.
ORDER_AWAITED_MS: Final = 10 * 60_000


def tell_order(told: Translation, order: PayloadFields, around: Circumstances) -> None:
    """Tell of the purchase, of the customer, and of the person whose browser it came from."""
    if order.text("cancelled_at"):
        return tell_cancelled(told, order, around)
    order_id, at = order.text("id"), order.text("processed_at", "created_at")
    message_id = f"shopify-order-{order_id}"
    if not _is_news(told, order_id, at, message_id, around):
        return None
    customer, who = order.inner("customer"), buyer_of(order, around)
    properties, context = _facts(order, order_id), context_of(order)
    told.say("track:purchase", message_id, who, at, properties=properties, context=context)
    if customer:
        tell_customer(told, customer, around, order.text("updated_at") or at)
    if not who.user_id and who.anonymous_id:
        told.say("identify", f"{message_id}-buyer", who, at, traits=traits_of(order, order.inner("billing_address")))
    return None


def tell_cancelled(told: Translation, order: PayloadFields, around: Circumstances) -> None:
    """Tell of a cancelled order; the money of one that was paid comes back by refunds, which are told by themselves."""
    order_id, at = order.text("id"), order.text("cancelled_at", "updated_at")
    message_id = f"shopify-cancelled-{order_id}"
    if not _is_news(told, order_id, at, message_id, around):
        return
    who = buyer_of(order, around)
    facts = present(order_id=order_id, reason=order.text("cancel_reason"))
    told.say("track:order_cancelled", message_id, who, at, properties=facts)
    if order.text("financial_status") in _UNPAID:
        value, currency = order.number("total_price"), order.text("currency")
        properties = present(order_id=order_id, refund_id="cancelled", value=value, currency=currency)
        told.say("track:refund", f"{message_id}-refund", who, at, properties=properties)


def tell_refund(told: Translation, refund: PayloadFields, around: Circumstances) -> None:
    """Tell of a refund, which is its order's buyer's."""
    refund_id, order_id = refund.text("id"), refund.text("order_id")
    if not refund_id or not order_id:
        return told.drop(DropReason.MALFORMED, "the refund has no id, or no order_id")
    message_id, at = f"shopify-refund-{refund_id}", refund.text("processed_at", "created_at")
    who = around.owner
    if not who:
        made_at = event_time(at)
        if made_at is not None and around.now_ms - made_at < ORDER_AWAITED_MS:
            told.come_again = f"order {order_id}, which the refund is of, is not known yet"
            return None
        who = _nobody(order_id)
        told.warn_of_order(message_id, order_id)
    told.say("track:refund", message_id, who, at, properties=_refund_facts(refund, refund_id, order_id))
    return None


def buyer_of(order: PayloadFields, around: Circumstances) -> Who:
    """Return whose an order is: the browser's that it came from, else the customer's, else nobody's known.

    Shopify takes whoever types a customer's address for the customer, so an order joins no browser to one, unless the
    site believes anybody about who they are.
    """
    browser, user_id = browser_of(order.each("note_attributes")), order.inner("customer").text("id")
    if browser:
        return Who(browser, user_id if around.site.identity == "off" else "", agreed=True)
    return Who(user_id=user_id) if user_id else _nobody(order.text("id"))


def items_of(order: PayloadFields) -> list[dict[str, Any]]:
    """Return the lines of an order, a checkout or a cart as items."""
    return short_items(order, "line_items", [_item(line) for line in order.each("line_items")])


def _item(line: PayloadFields) -> dict[str, Any]:
    return present(
        product_id=line.text("product_id", "sku", "variant_id"),
        variant_id=line.text("variant_id"),
        sku=line.text("sku"),
        name=line.text("title", "name"),
        variant=line.text("variant_title"),
        brand=line.text("vendor"),
        price=line.number("price"),
        quantity=line.number("quantity"),
    )


def coupon_of(order: PayloadFields) -> str:
    """Return the discount codes of an order, with commas between them."""
    return ",".join(code for each in order.each("discount_codes") if (code := each.text("code")))


def context_of(order: PayloadFields) -> dict[str, Any]:
    """Return what an order tells of its visitor's surroundings."""
    address = order.inner("shipping_address") or order.inner("billing_address")
    return present(
        locale=order.text("customer_locale"),
        userAgent=order.inner("client_details").text("user_agent"),
        location=present(country=address.text("country_code"), region=address.text("province_code")),
        campaign=campaign_of(order.text("landing_site")),
        page=present(referrer=order.text("referring_site")),
    )


def _nobody(order_id: str) -> Who:
    """Return the visitor of an order that names nobody, as one in a shop of stone: it counts, and gets no message."""
    return Who(f"shopify-order-{order_id}")


def _is_news(told: Translation, order_id: str, at: str, message_id: str, around: Circumstances) -> bool:
    if not order_id:
        told.drop(DropReason.MALFORMED, "the order has no id")
        return False
    if is_history(at, around):
        detail = f"of {at[:10]}: what is older than event_max_age_days comes by `micromoment import`"
        told.drop(DropReason.TOO_OLD, detail, message_id)
        return False
    return True


def _facts(order: PayloadFields, order_id: str) -> dict[str, Any]:
    """Return the properties of a purchase: its value in the shop's currency, and beside it what the buyer saw."""
    paid = order.inner("total_price_set").inner("presentment_money")
    currency, paid_currency = order.text("currency"), paid.text("currency_code")
    is_foreign = paid_currency not in ("", currency)
    return present(
        order_id=order_id,
        order_name=order.text("name"),
        value=order.number("total_price"),
        currency=currency,
        presentment_value=paid.number("amount") if is_foreign else None,
        presentment_currency=paid_currency if is_foreign else "",
        tax=order.number("total_tax"),
        shipping=order.inner("total_shipping_price_set").inner("shop_money").number("amount"),
        discount=order.number("total_discounts"),
        coupon=coupon_of(order),
        items=items_of(order),
        sold_by=order.text("source_name"),
        test=order.flag("test") or None,
    )


def _refund_facts(refund: PayloadFields, refund_id: str, order_id: str) -> dict[str, Any]:
    paid = [each for each in refund.each("transactions") if each.text("status") in _REFUNDED]
    amounts = [amount for each in paid if (amount := each.number("amount")) is not None]
    lines = refund.each("refund_line_items")
    items = [_item(line.inner("line_item")) | present(quantity=line.number("quantity")) for line in lines]
    return present(
        order_id=order_id,
        refund_id=refund_id,
        value=round(sum(amounts), 6),
        currency=next((currency for each in paid if (currency := each.text("currency"))), ""),
        note=refund.text("note"),
        items=short_items(refund, "refund_line_items", items),
    )

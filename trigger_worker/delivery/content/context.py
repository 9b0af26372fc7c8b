"""The facts that a template may use. What is not known is absent, and renders as nothing."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trigger_worker.deciding.recipient.profile import VisitorContext
from trigger_worker.deciding.recipient.shopping import CartContext


class SiteContext(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fields of `site` in a template; relative addresses in emails are resolved against `url`.

    `currency` is the code of the one that the site reckons in: an amount without a currency is in it.
    """

    name: str
    url: str = ""
    currency: str = ""


class RuleContext(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields of `rule` in a template."""

    id: str
    variant: str = ""


class RenderContext(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one message, by the names that a template may use.

    Args:
        visitor: the person who gets the message.
        site: the site that the person is on.
        rule: the rule that sends the message.
        cart: the person's cart.
        event: the fields of the event that completed the rule.
        product: product_id, name, category, price, currency, image and url of that event's product.
        order: order_id, value, currency and items of the person's latest purchase.
        unsubscribe_url: the address of the preference page, where the reader unsubscribes.
        confirm_url: the address of the page where the reader confirms that the address is theirs.
    """

    visitor: VisitorContext
    site: SiteContext
    rule: RuleContext
    cart: CartContext = CartContext()
    event: Mapping[str, object] = {}
    product: Mapping[str, object] = {}
    order: Mapping[str, object] = {}
    unsubscribe_url: str = ""
    confirm_url: str = ""

    def names(self) -> dict[str, object]:
        """Return the facts as plain data."""
        names: dict[str, object] = msgspec.to_builtins(self)
        return names

"""The names of events and fields: GA4's ecommerce vocabulary, extended to micro-interactions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

#: How a field is compared in a rule: text, a number, or milliseconds read as a duration.
FieldType = Literal["text", "number", "boolean", "duration"]

#: Every event name by group. Other names are allowed: they are a shop's own custom events.
EVENT_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "page": ("page_view", "session_start"),
    "attention": ("dwell", "scroll", "hover", "exit_intent", "copy"),
    "friction": ("click", "rage_click", "dead_click", "form_start", "form_submit", "form_abandon"),
    "commerce": (
        "view_item_list",
        "select_item",
        "view_item",
        "add_to_cart",
        "remove_from_cart",
        "view_cart",
        "begin_checkout",
        "add_shipping_info",
        "add_payment_info",
        "purchase",
        "refund",
        "order_cancelled",
        "search",
        "add_to_wishlist",
        "view_promotion",
        "select_promotion",
    ),
    "account": ("sign_up", "login", "share", "subscribe", "push_subscribed", "identify", "consent"),
    "message": (
        "message_sent",
        "message_delivered",
        "message_shown",
        "message_clicked",
        "message_dismissed",
        "email_opened",
        "email_clicked",
        "email_bounced",
        "email_complained",
        "address_confirmed",
        "unsubscribed",
        "push_unsubscribed",
        "message_failed",
        "message_retried",
    ),
}

EVENT_NAMES: Final = frozenset(name for names in EVENT_GROUPS.values() for name in names)

#: Events that Micromoment's own messages cause; `any` in a rule does not see them.
MESSAGE_EVENTS: Final = frozenset(EVENT_GROUPS["message"])

#: Events about an order, each of which counts once however often it is told.
ORDER_EVENTS: Final = frozenset({"purchase", "refund"})

#: Fields that are amounts of money. Rules read those in a foreign currency only where they name the currency.
MONEY_FIELDS: Final = frozenset({"value", "price"})

#: Events that tell what became of a message after it was sent, each of which moves it to another state.
OUTCOME_STATES: Final[dict[str, str]] = {
    "message_delivered": "delivered",
    "message_shown": "shown",
    "message_clicked": "clicked",
    "message_dismissed": "dismissed",
    "message_failed": "failed",
    "email_opened": "opened",
    "email_clicked": "clicked",
}

#: Fields of an event that have a column of their own in `events`, with how a rule reads them.
COLUMN_FIELDS: Final[dict[str, FieldType]] = {
    "path": "text",
    "url": "text",
    "title": "text",
    "referrer": "text",
    "page_type": "text",
    "product_id": "text",
    "name": "text",
    "category": "text",
    "price": "number",
    "quantity": "number",
    "value": "number",
    "currency": "text",
    "foreign_currency": "text",
    "order_id": "text",
    "coupon": "text",
    "search_term": "text",
    "results": "number",
    "duration_ms": "number",
    "depth_pct": "number",
    "message_id": "text",
    "session_id": "text",
    "device": "text",
    "os": "text",
    "browser": "text",
    "country": "text",
    "region": "text",
    "timezone": "text",
    "locale": "text",
    "utm_source": "text",
    "utm_medium": "text",
    "utm_campaign": "text",
}

#: Fields that live in `props` but are part of the vocabulary.
PROPERTY_FIELDS: Final[dict[str, FieldType]] = {
    "selector": "text",
    "x_pct": "number",
    "y_pct": "number",
    "form_id": "text",
    "last_field": "text",
    "fields_touched": "number",
    "method": "text",
    "rule": "text",
    "variant": "text",
    "channel": "text",
    "machine": "boolean",
    "address": "text",
    "kind": "text",
    "endpoint": "text",
    "reason": "text",
    "shipping_tier": "text",
    "payment_type": "text",
}

#: Fields of the visitor that `if` may name: each is read from the latest event that has it.
CONTEXT_FIELDS: Final = (
    "device",
    "os",
    "browser",
    "country",
    "region",
    "timezone",
    "locale",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
)

#: Columns that only the context of a message fills, because they speak of the visitor. A property of such a name is the
#: event's own: it stays in `props`, and a condition on the event finds it there first.
CONTEXT_COLUMNS: Final = frozenset({*CONTEXT_FIELDS, "session_id"})

#: Events that are about a page: what they say of it, such as its referrer, is what the context would say.
PAGE_EVENTS: Final = frozenset({*EVENT_GROUPS["page"], "screen_view"})

#: Our words for where an answer about messages was given. A shop's server has words of its own, such as `call_centre`.
ANSWER_SOURCES: Final = frozenset({"page", "server", "import", "preference_page", "sms_reply"})

#: Names of Segment's ecommerce specification that say what one of ours says; RudderStack has the same ones. Its others,
#: such as "Coupon Applied", stay custom events: nothing of ours means the same.
SEGMENT_EVENT_NAMES: Final[dict[str, str]] = {
    "Product List Viewed": "view_item_list",
    "Product Clicked": "select_item",
    "Product Viewed": "view_item",
    "Product Added": "add_to_cart",
    "Wishlist Product Added to Cart": "add_to_cart",
    "Product Removed": "remove_from_cart",
    "Cart Viewed": "view_cart",
    "Checkout Started": "begin_checkout",
    "Payment Info Entered": "add_payment_info",
    "Order Completed": "purchase",
    "Order Refunded": "refund",
    "Order Cancelled": "order_cancelled",
    "Products Searched": "search",
    "Product Added to Wishlist": "add_to_wishlist",
    "Promotion Viewed": "view_promotion",
    "Promotion Clicked": "select_promotion",
    "Product Shared": "share",
    "Cart Shared": "share",
    "Signed Up": "sign_up",
    "Signed In": "login",
    "Segment Consent Preference Updated": "consent",
    # Its first version put the verb first, and some shops write so to this day.
    "Viewed Product Category": "view_item_list",
    "Clicked Product": "select_item",
    "Viewed Product": "view_item",
    "Added Product": "add_to_cart",
    "Removed Product": "remove_from_cart",
    "Viewed Cart": "view_cart",
    "Started Checkout": "begin_checkout",
    "Completed Order": "purchase",
    "Refunded Order": "refund",
    "Cancelled Order": "order_cancelled",
    "Searched Products": "search",
    "Viewed Promotion": "view_promotion",
    "Clicked Promotion": "select_promotion",
    # American spelling of one letter less.
    "Order Canceled": "order_cancelled",
    "Canceled Order": "order_cancelled",
}
_BY_LETTERS: Final = {
    **{name.replace("_", ""): name for name in EVENT_GROUPS["commerce"]},
    **{name.replace(" ", "").lower(): ours for name, ours in SEGMENT_EVENT_NAMES.items()},
}
_NO_LETTERS: Final = re.compile(r"[\s_-]+")


@lru_cache(maxsize=4096)
def our_event_name(name: str) -> str:
    """Return our name of an event of a shop: of commerce, whatever its case and whatever stands between its words.

    So `product added`, `ProductAdded`, `product_added` and `Add to Cart` are all `add_to_cart`. Other names are a
    shop's own, and stay as they are.

    Args:
        name: as a sender writes it, without blanks around it.
    """
    if name in EVENT_NAMES:
        return name
    return _BY_LETTERS.get(_NO_LETTERS.sub("", name).lower(), name)

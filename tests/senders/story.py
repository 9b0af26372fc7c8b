"""A visit as a shop's server tells it, call by call, and what is to be stored of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

CHROME: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
#: When the visit began: an hour ago, on a whole second.
BEGUN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
CONTEXT: Final[dict[str, Any]] = {
    "ip": "192.0.2.7",
    "locale": "de-AT",
    "timezone": "Europe/Vienna",
    "userAgent": CHROME,
    "campaign": {"name": "spring", "source": "news", "medium": "email", "term": "tents"},
    "page": {
        "path": "/tents",
        "url": "https://shop.example/tents?a=1",
        "title": "Tents",
        "referrer": "https://news.example/",
    },
}
TENT: Final[dict[str, Any]] = {
    "product_id": "tent-2",
    "sku": "T2-GREEN",
    "name": "Dome tent",
    "category": "Tents",
    "brand": "Alp",
    "variant": "green",
    "price": 249.5,
    "quantity": 2,
    "image_url": "https://shop.example/tent.jpg",
}
STOVE: Final[dict[str, Any]] = {"product_id": "stove-1", "name": "Stove", "price": 60, "quantity": 1, "position": 2}
ORDER: Final[dict[str, Any]] = {
    "order_id": "o-1",
    "total": 570.99,
    "revenue": 559,
    "shipping": 11.99,
    "tax": 0,
    "currency": "EUR",
    "coupon": "HELLO",
    "products": [TENT, STOVE],
}


def _at(minutes: int) -> datetime:
    return BEGUN + timedelta(minutes=minutes)


def _calls() -> list[dict[str, Any]]:
    browser = {"anonymousId": "web-1"}
    ann = {"userId": "ann", "anonymousId": "web-1"}
    return [
        {"type": "page", **browser, "category": "Listing", "name": "All tents", "context": CONTEXT},
        {"type": "track", **browser, "event": "Products Searched", "properties": {"query": "tent"}},
        {"type": "track", **browser, "event": "product viewed", "properties": {**TENT, "currency": "EUR"}},
        {"type": "track", **browser, "event": "ProductAdded", "properties": {**TENT, "currency": "EUR"}},
        {"type": "identify", **ann, "traits": {"email": "ann@shop.example", "plan": "pro", "age": 41}},
        {"type": "track", **ann, "event": "Order Completed ", "properties": ORDER},
        {"type": "track", "userId": "ann", "event": "Coupon Applied", "properties": {"coupon_id": "HELLO"}},
        {"type": "screen", **ann, "name": "Basket", "properties": {"items_shown": 3}},
        {"type": "group", **ann, "groupId": "club", "traits": {"name": "The club"}},
        {"type": "alias", "previousId": "web-0", "userId": "ann"},
        {"type": "track", "userId": "43", "event": "Quiz Done", "properties": {"score": 7, "tags": ["a", "b"]}},
        {"type": "track", **ann, "event": "Order Refunded", "properties": {"order_id": "o-1", "total": 60}},
    ]


#: The calls, a minute apart; each one's `messageId` is its place.
CALLS: Final = [
    {**call, "timestamp": _at(place).isoformat(), "messageId": f"call-{place}"} for place, call in enumerate(_calls())
]


def stored_times() -> list[str]:
    """Return when each call happened, as ClickHouse writes it."""
    return [_at(place).strftime("%Y-%m-%d %H:%M:%S.000") for place in range(len(CALLS))]


#: What is stored of each call, in their order: the columns that are told, and the others empty.
STORED: Final[list[dict[str, Any]]] = [
    {
        "event": "page_view",
        "type": "page",
        "visitor_id": "web-1",
        "anonymous_id": "web-1",
        "path": "/tents",
        "url": "https://shop.example/tents?a=1",
        "title": "Tents",
        "page_type": "Listing",
        "referrer": "https://news.example/",
        "locale": "de-AT",
        "timezone": "Europe/Vienna",
        "country": "AT",
        "utm_source": "news",
        "utm_medium": "email",
        "utm_campaign": "spring",
        "device": "desktop",
        "os": "Windows",
        "browser": "Chrome",
    },
    {"event": "search", "visitor_id": "web-1", "search_term": "tent"},
    {"event": "view_item", "product_id": "tent-2", "name": "Dome tent", "category": "Tents", "price": 249.5},
    {"event": "add_to_cart", "product_id": "tent-2", "quantity": 2, "value": 499, "currency": "EUR"},
    {"event": "identify", "type": "identify", "visitor_id": "ann", "anonymous_id": "web-1", "user_id": "ann"},
    {
        "event": "purchase",
        "visitor_id": "ann",
        "order_id": "o-1",
        "value": 570.99,
        "currency": "EUR",
        "coupon": "HELLO",
        "product_id": "",
    },
    {"event": "Coupon Applied", "visitor_id": "ann", "anonymous_id": ""},
    {"event": "screen_view", "type": "screen", "visitor_id": "ann", "title": "Basket"},
    {"event": "group", "type": "group", "visitor_id": "ann"},
    {"event": "alias", "type": "alias", "visitor_id": "ann", "anonymous_id": "web-0", "user_id": "ann"},
    {"event": "Quiz Done", "visitor_id": "43", "user_id": "43"},
    {"event": "refund", "visitor_id": "ann", "order_id": "o-1", "value": 60},
]
#: What is stored of each call beside its columns, as far as it is told here.
PROPS: Final[dict[int, dict[str, Any]]] = {
    4: {"traits": {"email": "ann@shop.example", "plan": "pro", "age": 41}, "proven_by": "server"},
    6: {"coupon_id": "HELLO"},
    7: {"items_shown": 3},
    8: {"traits": {"name": "The club"}, "group_id": "club"},
    10: {"score": 7, "tags": ["a", "b"]},
}

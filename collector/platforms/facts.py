"""What orders of every platform have in common: the browser that bought, the campaign that led there, their age."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from collector.platforms.fields import PayloadFields
from collector.platforms.platform import Circumstances
from warehouse.browser_id import is_bound
from warehouse.limits import MAX_ITEMS
from warehouse.time_reading import event_time

#: The attribute of an order that holds the anonymous id of the browser it came from; underscores may stand before it.
BROWSER_ATTRIBUTE: Final = "micromoment_id"
_LONGEST_ADDRESS: Final = 2048
#: Lines of an order whose names, SKUs and variants are kept, too: an event has 32 KiB.
MOST_WHOLE_ITEMS: Final = 50
_OF_SHORT_ITEMS: Final = ("product_id", "variant_id", "price", "quantity")
_TAGS: Final = {"utm_source": "source", "utm_medium": "medium", "utm_campaign": "name"}
#: The facts of a person that an order or a customer's record tells, under our names, which platforms use, too.
_TRAITS: Final = ("email", "phone", "first_name", "last_name")


def present(**facts: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the facts that are there: neither empty nor None; 0 and False stay."""
    return {name: value for name, value in facts.items() if value is not None and value not in ("", [], {})}


def attribute_of(attributes: Iterable[PayloadFields], name: str, key: str = "name") -> str:
    """Return the value of an attribute that a shop's page or plugin wrote to an order, '' for none.

    Args:
        attributes: each with a key and a value.
        name: the attribute's; underscores, which hide one from the buyer, may stand before it.
        key: the field that holds the name of an attribute.
    """
    # Other attributes are others': whatever their values are, nobody is told about them.
    found = (each for each in attributes if each.is_text(key) and each.text(key).lstrip("_") == name)
    return next((each.text("value") for each in found), "")


def browser_of(attributes: Iterable[PayloadFields], key: str = "name") -> str:
    """Return the anonymous id of the browser that an order came from, '' for none.

    Only ids that nobody can guess or learn from elsewhere count, as our SDK makes them: whoever orders writes it.
    """
    attributes = list(attributes)
    value = attribute_of(attributes, BROWSER_ATTRIBUTE, key)
    if value and not is_bound(value):
        attributes[0].note(BROWSER_ATTRIBUTE, "the id of a browser of our SDK")
        return ""
    return value.lower()


def campaign_of(address: str) -> dict[str, str]:
    """Return the campaign that an address names, as the context of an event holds it."""
    try:
        query = urlsplit(address[:_LONGEST_ADDRESS]).query
        pairs = dict(parse_qsl(query, max_num_fields=100))
    except ValueError:
        return {}
    return {ours: pairs[tag] for tag, ours in _TAGS.items() if tag in pairs}


def traits_of(*records: PayloadFields) -> dict[str, Any]:
    """Return the facts of a person, each from the first record that has it; null where the first has it empty."""
    first, *_ = records
    traits = {name: next((text for each in records if (text := each.text(name))), "") for name in _TRAITS}
    return {name: text or None for name, text in traits.items() if text or first.has(name)}


def short_items(order: PayloadFields, name: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items of an order; of a long one each so short that the whole is kept, which is noted.

    Args:
        order: the order.
        name: the field that holds the lines.
        items: its lines as items.
    """
    if len(items) <= MOST_WHOLE_ITEMS:
        return items
    counted = f"{MAX_ITEMS} of {len(items)} lines are" if len(items) > MAX_ITEMS else "is long: its lines are"
    order.remark(name, f"{counted} kept, each with id, price and quantity alone")
    return [{key: item[key] for key in _OF_SHORT_ITEMS if key in item} for item in items[:MAX_ITEMS]]


def digest_of(facts: object) -> str:
    """Return a short text that is the same for the same facts: it names what comes without a time of its own."""
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()[:16]


def is_history(at: str, around: Circumstances) -> bool:
    """Tell whether an instant, as a platform writes it, is longer ago than an event may be."""
    moment = event_time(at)
    return moment is not None and moment < around.oldest

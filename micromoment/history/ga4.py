"""Translates rows of Google Analytics 4, as BigQuery exports them, to messages of the tracking API."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from babel import Locale

from warehouse.event import format_instant

#: GA4's words for a value that is not known.
_UNKNOWN: Final = frozenset({"", "(not set)", "(none)", "(direct)", "(data deleted)", "(not provided)"})
#: Fields by which Google names an event: its row has no id.
_IDENTITY: Final = ("event_bundle_sequence_id", "batch_page_id", "batch_ordering_id", "batch_event_index")
_PAGE: Final = {"page_location": "url", "page_title": "title", "page_referrer": "referrer"}
_EVENT_NAMES: Final = {"view_search_results": "search"}
_PARAMETERS: Final = {"percent_scrolled": "depth_pct", "ga_session_number": "session_number"}
_ECOMMERCE: Final = {
    "transaction_id": "order_id",
    "purchase_revenue": "value",
    "refund_value": "value",
    "tax_value": "tax",
    "shipping_value": "shipping",
}
_ITEM_NUMBERS: Final = frozenset({"price", "quantity", "item_revenue", "item_refund", "price_in_usd", "discount"})


def is_ga4(row: Mapping[str, Any]) -> bool:
    """Tell whether an object is a row of the export."""
    return "event_name" in row and "event_timestamp" in row


def ga4_message(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message that a row tells of.

    What the row does not know is left out. An event is known by its device, time and name, and by the numbers that
    Google gives it within its upload; where those are missing, by its content.
    """
    parameters = _parameters(row.get("event_params"))
    name = str(row.get("event_name") or "")
    visitor = row.get("user_pseudo_id")
    message = {
        "type": "track",
        "event": _EVENT_NAMES.get(name, name),
        "anonymousId": visitor,
        "userId": row.get("user_id"),
        "timestamp": _instant(row.get("event_timestamp")),
        "messageId": _identity(row, name),
        "context": _context(row, parameters, visitor),
        "properties": _properties(row, parameters),
    }
    return {key: value for key, value in message.items() if value}


def _identity(row: Mapping[str, Any], name: str) -> str | None:
    if row.get("batch_event_index") is None:
        return None
    numbers = [str(row.get(field) or 0) for field in _IDENTITY]
    return "-".join(["ga4", str(row.get("event_timestamp")), name[:40], *numbers])


def _instant(stated: object) -> str | None:
    """Return a time that GA4 writes as microseconds, often as text, as an ISO instant."""
    try:
        return format_instant(int(str(stated)) // 1000)
    except (ValueError, OverflowError, OSError):
        return str(stated) if stated else None


def _parameters(listed: object) -> dict[str, Any]:
    """Return parameters, `[{"key": ..., "value": {"string_value": ...}}]`, by name."""
    found: dict[str, Any] = {}
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(each.get("key"), str):
            value = _value(each.get("value"))
            if value is not None:
                found[each["key"]] = value
    return found


def _value(typed: object) -> Any:  # noqa: ANN401 - any of the four types
    if not isinstance(typed, dict):
        return None
    text = typed.get("string_value")
    if text is not None:
        return None if text in _UNKNOWN else text
    for kind in ("int_value", "double_value", "float_value"):
        number = typed.get(kind)
        if number is not None:
            return _number(number, whole=kind == "int_value")
    return None


def _number(value: object, *, whole: bool = False) -> Any:  # noqa: ANN401 - a number, or what is none
    """Return a number: BigQuery writes whole ones as text."""
    if isinstance(value, str):
        try:
            return int(value) if whole else float(value)
        except ValueError:
            return value
    return value


def _properties(row: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    used = {*_PAGE, "ga_session_id", "source", "medium", "campaign"}
    properties = {_PARAMETERS.get(name, name): value for name, value in parameters.items() if name not in used}
    told = _section(row, "ecommerce")
    for theirs, ours in _ECOMMERCE.items():
        value = told.get(theirs)
        if value is not None and value not in _UNKNOWN and ours not in properties:
            properties[ours] = value if theirs == "transaction_id" else _number(value)
    items = [_item(item) for item in row.get("items") or () if isinstance(item, dict)]
    if items:
        properties["items"] = items
    of_user = _parameters(row.get("user_properties"))
    return {**properties, "user_properties": of_user} if of_user else properties


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in item.items() if value is not None and not _is_unknown(value)}
    known.update({name: _number(known[name]) for name in _ITEM_NUMBERS & known.keys()})
    own = _parameters(known.pop("item_params", None))
    return {**own, **known}


def _is_unknown(value: object) -> bool:
    return isinstance(value, str) and value in _UNKNOWN


def _context(row: Mapping[str, Any], parameters: Mapping[str, Any], visitor: object) -> dict[str, Any]:
    page = {ours: parameters[theirs] for theirs, ours in _PAGE.items() if theirs in parameters}
    if isinstance(page.get("url"), str):
        page["path"] = _path(page["url"])
    session = parameters.get("ga_session_id")
    device, place = _section(row, "device"), _section(row, "geo")
    web = _section(device, "web_info")
    browser = web.get("browser") or device.get("browser")
    context = {
        "page": page,
        "campaign": _campaign(row, parameters),
        "sessionId": f"{visitor}.{session}" if session else "",
        "locale": device.get("language"),
        "device": {"type": device.get("category")},
        "os": {"name": device.get("operating_system")},
        "browser": {"name": browser},
        "location": {"country": _country(place.get("country")), "region": place.get("region")},
    }
    return _without_unknown(context)


def _campaign(row: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what brought the session; where the row does not say it, what brought the visitor first."""
    collected, first = _section(row, "collected_traffic_source"), _section(row, "traffic_source")
    candidates = (
        {
            "source": collected.get("manual_source"),
            "medium": collected.get("manual_medium"),
            "name": collected.get("manual_campaign_name"),
        },
        {
            "source": parameters.get("source"),
            "medium": parameters.get("medium"),
            "name": parameters.get("campaign"),
        },
        {"source": first.get("source"), "medium": first.get("medium"), "name": first.get("name")},
    )
    return next((known for each in candidates if (known := _without_unknown(each))), {})


def _without_unknown(fields: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: _without_unknown(value) if isinstance(value, dict) else value for name, value in fields.items()}
    return {name: value for name, value in known.items() if value and not _is_unknown(value)}


def _section(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _path(url: str) -> str:
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return ""


def _country(name: object) -> object:
    """Return the two letters of a country that GA4 names in English; another text as it stands."""
    return _codes().get(name.casefold(), name) if isinstance(name, str) else name


@cache
def _codes() -> dict[str, str]:
    named = Locale("en").territories.items()
    codes = {name.casefold(): code for code, name in named if len(code) == 2 and code.isalpha()}
    # Where Google's name is not the one of the Unicode consortium.
    return {
        **codes,
        "türkiye": "TR",
        "turkey": "TR",
        "czechia": "CZ",
        "hong kong": "HK",
        "macao": "MO",
        "myanmar (burma)": "MM",
    }

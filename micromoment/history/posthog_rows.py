"""Translates rows of PostHog's exports to messages of the tracking API, as its SDKs are understood."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from collector.intake.none_ids import APART
from collector.intake.posthog import PosthogEvent, Speaker, translate
from warehouse.browser_id import is_bound

#: SDKs that run where a visitor is; the others run on servers, and name users.
_PAGES: Final = ("web", "posthog-ios", "posthog-android", "posthog-react-native", "posthog-flutter")


def is_posthog(row: Mapping[str, Any]) -> bool:
    """Tell whether an object is a row of an export."""
    return "distinct_id" in row and "event" in row and "type" not in row


def posthog_messages(row: Mapping[str, Any], now_ms: int, *, sets_apart: bool) -> Iterator[Mapping[str, Any]]:
    """Yield the messages that a row tells of.

    Args:
        row: with `event`, `distinct_id`, `timestamp`, `uuid`, and `properties` as an object or as its JSON.
        now_ms: the time of the import, epoch ms.
        sets_apart: whether the site sets browsers apart that prove nothing: such a browser is the one that comes live.
    """
    properties = _properties(row.get("properties"))
    library = properties.get("$lib")
    is_page = str(library).startswith(_PAGES) if library else "$device_id" in properties
    if is_page and not isinstance(properties.get("$is_identified"), bool):
        # PostHog's own ids of browsers are UUIDs; whoever has another was identified.
        properties = {**properties, "$is_identified": not _is_of_browser(row.get("distinct_id"), properties)}
    event = msgspec.convert({**row, "properties": properties}, PosthogEvent)
    for message in translate(event, Speaker(not is_page, sets_apart, now_ms)):
        anonymous = message.get("anonymousId")
        if is_page and sets_apart and isinstance(anonymous, str) and _is_to_set_apart(anonymous):
            message["anonymousId"] = APART + anonymous
        yield message


def _is_of_browser(distinct_id: object, properties: Mapping[str, Any]) -> bool:
    if distinct_id == properties.get("$device_id"):
        return True
    try:
        return properties.get("$user_id") != distinct_id and bool(uuid.UUID(str(distinct_id)))
    except ValueError:
        return False


def _is_to_set_apart(anonymous: str) -> bool:
    return bool(anonymous) and not anonymous.startswith(APART) and not is_bound(anonymous)


def _properties(told: object) -> dict[str, Any]:
    read = told
    if isinstance(told, str):
        try:
            read = msgspec.json.decode(told)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            read = None
    if isinstance(read, dict):
        return read
    # What cannot be read stays to be seen.
    return {"properties": told} if told else {}

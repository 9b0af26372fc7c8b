"""The steps that find what every event must have, or drop it: a name, fit values, a time and an id."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from sys import float_info
from typing import Final

import msgspec

from collector.intake.draft import Draft, Drop, DropReason, Receipt, Times, WarningReason
from warehouse.event import epoch_ms, format_time
from warehouse.limits import MAX_DEPTH, MAX_NAME_LENGTH, MAX_NESTED
from warehouse.vocabulary import our_event_name

_NAME_OF_TYPE: Final = {
    "page": "page_view",
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
#: A smaller difference between the clocks is the request's own travel time rather than skew, and correcting it
#: would put events of one visitor out of order.
SKEW_TOLERANCE_MS: Final = 5_000
_LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01, the end of what DateTime64 holds safely in every function
#: A whole number is read however many digits it has; whoever reckons with it later needs it as a float.
_GREATEST: Final = int(float_info.max)
_NAMESPACE: Final = uuid.UUID("6d6d6576-656e-7473-8000-000000000000")


def name_event(draft: Draft) -> Drop | None:
    """Name the event in our vocabulary; names of commerce are translated, custom names kept."""
    draft.columns["type"] = kind = draft.message.type
    if kind != "track":
        draft.columns["event"] = _NAME_OF_TYPE[kind]
        return None
    name = (draft.message.event or "").strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        return draft.dropped(DropReason.NO_NAME, f"give event, of 1 to {MAX_NAME_LENGTH} printable characters")
    draft.columns["event"] = our_event_name(name)
    return None


def refuse_unfit_values(draft: Draft) -> Drop | None:
    """Drop an event one of whose properties or traits is a number too large, is nested too deeply, or has no end."""
    left = [MAX_NESTED]
    for name, value in (*draft.props.items(), *draft.traits.items()):
        # Most values are text.
        if type(value) is not str and (trouble := _trouble(value, 1, left)):
            return draft.dropped(DropReason.MALFORMED, f"{trouble}, in {name[:50]!r}")
    return None


def correct_time(draft: Draft) -> Drop | None:
    """Place the event on the collector's clock: never after its receipt, and not long before it.

    What is said to have happened too long ago has the time of its receipt, with a warning: such a time is a mistake of
    its sender's clock, or invented. An import's time is taken as it stands.
    """
    message, receipt = draft.message, draft.receipt
    stated = parse_time(message.original_timestamp)
    if stated is None:
        stated = parse_time(message.timestamp)
    if receipt.source == "import":
        if stated is None:
            return draft.dropped(DropReason.NO_TIMESTAMP, f"timestamp {message.timestamp!r} is no ISO 8601 time")
    else:
        stated = _on_our_clock(draft, receipt.received_at if stated is None else stated)
        if stated < receipt.oldest:
            days = (receipt.received_at - receipt.oldest) // 86_400_000
            draft.warn(WarningReason.TOO_OLD, f"older than {days} days: kept with the time of its receipt")
            stated = receipt.received_at
    draft.columns["ts"] = format_time(stated)
    draft.columns["received_at"] = draft.times.received_at
    return None


def fill_message_id(draft: Draft) -> None:
    """Take the sender's messageId, or derive one from the message, so that the same bytes make the same event."""
    draft.columns["event_id"] = draft.message.label or _content_id(draft)


def read_times(receipt: Receipt) -> Times:
    """Return the times of a request as its events need them."""
    return Times(format_time(receipt.received_at), parse_time(receipt.sent_at))


def parse_time(value: object) -> int | None:
    """Return the epoch ms of an ISO 8601 text, or of a number of (milli)seconds, or None when it is neither."""
    if value is None:
        return None
    moment: int | None = None
    if isinstance(value, str):
        moment = _parse_iso(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _LATEST_MS:
        moment = int(value if value > 1e11 else value * 1000)
    return moment if moment is not None and 0 <= moment < _LATEST_MS else None


def _parse_iso(value: str) -> int | None:
    # As browsers write it, `2026-11-22T12:00:00.250Z`: events of one minute share their seconds.
    if len(value) == 24 and value[19] == "." and value[23] == "Z":
        ms = value[20:23]
        if ms.isdigit() and ms.isascii():
            second = _parse_second(value[:19])
            return second + int(ms) if second is not None else None
    return _parse_any(value)


@lru_cache(maxsize=1024)
def _parse_second(value: str) -> int | None:
    """Return the epoch ms of a text without zone and fraction; the cache holds texts of 19 characters."""
    return _parse_any(f"{value}Z")


def _parse_any(value: str) -> int | None:
    with contextlib.suppress(msgspec.ValidationError):
        return epoch_ms(msgspec.convert(value, datetime, strict=False))
    return None


def _on_our_clock(draft: Draft, stated: int) -> int:
    """Return when an event happened by our clock, if its sender says when it sent it by its own."""
    received_at, sent_at = draft.receipt.received_at, draft.message.sent_at
    sent = draft.times.sent_at if sent_at is None else parse_time(sent_at)
    if sent is not None and abs(received_at - sent) > SKEW_TOLERANCE_MS:
        stated += received_at - sent
    return max(0, min(stated, received_at))


def _content_id(draft: Draft) -> str:
    # A message without a time of its own is a new event at each receipt; with one it is the same when re-sent.
    timed = draft.message.timestamp is not None or draft.message.original_timestamp is not None
    content = msgspec.json.encode((draft.message, 0 if timed else uuid.uuid4().hex), order="sorted")
    # A field that messages did not have in earlier versions: what is imported again keeps the ids that it had.
    content = content.replace(b'"category":null,', b"", 1)
    return str(uuid.uuid5(_NAMESPACE, hashlib.sha256(content).hexdigest()))


def _trouble(value: object, depth: int, left: list[int]) -> str:
    """Return what is wrong with a value, or ''.

    Args:
        value: any.
        depth: the objects and lists around it, and itself if it is one.
        left: how many objects and lists the event may still have.
    """
    if isinstance(value, int):
        return "" if -_GREATEST <= value <= _GREATEST else "a number too large for any use"
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(inner, Iterable) or isinstance(inner, str):
        return ""
    left[0] -= 1
    if depth > MAX_DEPTH:
        return f"more than {MAX_DEPTH} objects and lists inside each other"
    if left[0] < 0:
        return f"more than {MAX_NESTED} objects and lists"
    for each in inner:
        if type(each) is not str and (trouble := _trouble(each, depth + 1, left)):
            return trouble
    return ""

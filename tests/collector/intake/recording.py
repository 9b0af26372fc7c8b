"""Batches of every kind, and what the pipeline made of them when they were recorded.

`python -m tests.collector.intake.recording` records anew what the pipeline makes of them now.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from collector.intake import pipeline
from collector.intake.draft import DropReason, Receipt
from collector.sites import ConsentMode, Site
from tests.collector.messages import NOON
from warehouse.event import EventRow
from warehouse.vocabulary import COLUMN_FIELDS, SEGMENT_EVENT_NAMES

RECORD: Final = Path(__file__).with_name("recorded.jsonl")
_BATCHES: Final = 90

_TEXTS: Final = ("tent", " Dome tent ", "", "   ", "7", "1e3", "1,50", "größe", "a\u0000b", "\u2028", "nan")
_LONG: Final = "x" * 1025  # beyond the limit of a column
_NUMBERS: Final = (0, 7, -3, 7.0, 7.25, 249.5, 2**32, 2**63, 1e300, -0.0)
_OTHERS: Final[tuple[Any, ...]] = (None, True, False, [], {}, ["a", 1], {"a": {"b": [None]}})
_IDS: Final = ("cookie", " cookie ", "ada", 42, 42.0, 4.5, "0192f0c1-7e4b-7c3a-9a51-6f0d3b8c2e11")
_BAD_IDS: Final = ("", "  ", None, True, "x" * 129)
_TIMES: Final = (
    *("2026-11-22T11:59:58.250Z", "2026-11-22T12:00:00.000Z", "2026-11-22T11:00:00.999Z", "2026-11-22T12:59:59.001Z"),
    *("2026-11-22T11:59:58Z", "2026-11-22T12:59:58.250+01:00", "2026-11-22T11:59:58", "2026-11-22 11:59:58.250"),
    *("2026-11-22t11:59:58.250z", "2026-11-22T11:59:58.2501239Z", "2026-11-22T11:59:58.25Z", "1795348798.25"),
    *(NOON - 2000, (NOON - 2000) / 1000, NOON + 3_600_000, NOON - 86_400_000, 0),
)
_BAD_TIMES: Final = (
    *("yesterday", "", "2026-02-30T11:59:58.250Z", "2026-11-22T11:59:60.250Z", "2026-11-22X11:59:58.250Z"),
    "2026-11-22T11:59:58.\u0661\u0662\u0663Z",
    *("2026-11-22T11:59:58. 12Z", "2026-11-22T11:59:58.+12Z", "1969-12-31T23:59:59.999Z", "2100-01-01T00:00:00.000Z"),
    *("2099-12-31T23:59:59.999Z", -1, 1e308, None),
)
_AGENTS: Final = (
    *("", "analytics-python/2.3.4", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 15; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
)
_EVENTS: Final = (
    *SEGMENT_EVENT_NAMES,
    "view_item",
    "consent",
    "unsubscribed",
    "push_subscribed",
    "email_opened",
    "Colour Picked",
)
_BAD_EVENTS: Final = (None, "", "  ", "a\nb", "x" * 101)
_SPELLINGS: Final = (
    *("transaction_id", "query", "item_list", "products", "items", "sku", "item_id", "item_name", "item_category"),
    *("position", "total", "revenue", "subtotal", "id", "image_url", "note", "source", "site", "ts", "event"),
)
_ZONES: Final = ("Europe/Berlin", " Asia/Tokyo ", "UTC", "Mars/Base", "", 7)
_TYPES: Final = (*("track",) * 8, "page", "identify", "group", "screen", "alias")


class RecordedBatch(msgspec.Struct, frozen=True):
    """A batch with its circumstances, and its rows and drops.

    Args:
        consent: the site's mode.
        receipt: the facts of its request.
        context: the batch's own.
        batch: the messages as they came.
        rows: the columns of each event that was kept.
        drops: id, reason and detail of each that was not; the detail of a malformed one is the decoder's, so left out.
    """

    consent: ConsentMode
    receipt: Receipt
    context: dict[str, Any]
    batch: list[msgspec.Raw]
    rows: list[EventRow] = []
    drops: list[tuple[str, str, str]] = []


def recorded() -> list[RecordedBatch]:
    """Return the batches with what was made of them when they were recorded."""
    return [msgspec.json.decode(line, type=RecordedBatch) for line in RECORD.read_bytes().splitlines()]


def made(batch: RecordedBatch) -> RecordedBatch:
    """Return a batch with what the pipeline makes of it now."""
    site = Site("shop", "shop-key", consent=batch.consent, retention_days=90)
    outcome = pipeline.run(batch.batch, site, batch.receipt, batch.context)
    drops = [
        (drop.message_id, str(drop.reason), "" if drop.reason is DropReason.MALFORMED else drop.detail)
        for drop in outcome.drops
    ]
    return msgspec.structs.replace(batch, rows=outcome.rows, drops=drops)


def generated(choose: random.Random) -> Iterator[RecordedBatch]:
    """Yield batches without end, the same ones of the same seed."""
    modes: tuple[ConsentMode, ...] = ("opt-out", "opt-out", "off", "off", "opt-in")
    while True:
        receipt = Receipt(
            received_at=NOON,
            sent_at=choose.choice((*_TIMES, None)),
            source="import" if choose.random() < 0.15 else "live",
            is_from_server=choose.random() < 0.3,
            user_agent=choose.choice(_AGENTS),
            country=choose.choice(("", "", "AT")),
            opted_out=choose.random() < 0.1,
        )
        messages = [msgspec.Raw(msgspec.json.encode(_message(choose))) for _ in range(choose.randrange(1, 5))]
        yield RecordedBatch(choose.choice(modes), receipt, _context(choose), messages)


def _message(choose: random.Random) -> dict[str, Any]:
    kind = choose.choice(_TYPES)
    fields: dict[str, Any] = {
        "type": kind if choose.random() > 0.01 else "teleport",
        "anonymousId": _mostly(choose, _IDS, _BAD_IDS),
        "timestamp": _mostly(choose, _TIMES, _BAD_TIMES),
        "event": _mostly(choose, _EVENTS, _BAD_EVENTS),
        "properties": _properties(choose),
        "context": _context(choose),
        # A message without an id and a time has another id each time.
        "messageId": _mostly(choose, ("m-1", 7, " m "), (None, "", "x" * 129)),
    }
    for name, values in (("userId", _IDS + _BAD_IDS), ("previousId", _IDS), ("groupId", _IDS), ("name", _TEXTS)):
        if choose.random() < 0.2:
            fields[name] = choose.choice(values)
    for name in ("originalTimestamp", "sentAt"):
        if choose.random() < 0.15:
            fields[name] = choose.choice(_TIMES + _BAD_TIMES)
    if fields["timestamp"] is None and not fields["messageId"]:
        fields["timestamp"] = NOON
    if choose.random() < 0.2:
        fields["traits"] = {name: _value(choose) for name in choose.sample(("email", "phone", "plan", "age"), 2)}
    return {
        name: value
        for name, value in fields.items()
        if choose.random() > 0.05 or name in {"type", "messageId", "timestamp"}
    }


def _properties(choose: random.Random) -> dict[str, Any]:
    names = choose.sample((*COLUMN_FIELDS, *_SPELLINGS), choose.randrange(7))
    found = {name: _value(choose) for name in names}
    for name in ("items", "products"):
        if name in found and choose.random() < 0.8:
            found[name] = [_item(choose) for _ in range(choose.randrange(3))]
    return found


def _item(choose: random.Random) -> object:
    if choose.random() < 0.1:
        return _value(choose)
    names = ("item_id", "sku", "id", "product_id", "name", "title", "price", "quantity", "category", "size")
    return {name: _value(choose) for name in choose.sample(names, choose.randrange(5))}


def _context(choose: random.Random) -> dict[str, Any]:
    whole = {
        "sessionId": choose.choice(_IDS + _BAD_IDS),
        "seq": choose.choice((1, 12, 0, -1, 2**32, "12", 1.5, True, None)),
        "page": {name: _value(choose) for name in choose.sample(("path", "url", "title", "referrer", "type", "x"), 3)},
        "campaign": {name: _value(choose) for name in ("source", "medium", "name")},
        "location": {name: _value(choose) for name in choose.sample(("country", "region", "city"), 2)},
        "consent": {"analytics": choose.choice((True, True, False, None, 1, "yes"))},
        "timezone": choose.choice(_ZONES),
        "locale": _value(choose),
        "userAgent": choose.choice((*_AGENTS, 7, None)),
    }
    found: dict[str, Any] = {name: whole[name] for name in choose.sample(list(whole), choose.randrange(6))}
    if found and choose.random() < 0.1:
        found[choose.choice(list(found))] = choose.choice(_OTHERS)
    return found


def _value(choose: random.Random) -> object:
    return choose.choice(choose.choices((_TEXTS, _NUMBERS, _OTHERS, (_LONG,)), (500, 400, 100, 4))[0])


def _mostly(choose: random.Random, good: tuple[object, ...], bad: tuple[object, ...]) -> object:
    return choose.choice(good if choose.random() < 0.9 else bad)


def main() -> None:
    """Record what the pipeline makes of the batches now."""
    source = generated(random.Random(9))
    lines = [msgspec.json.encode(made(next(source))) for _ in range(_BATCHES)]
    RECORD.write_bytes(b"\n".join(lines) + b"\n")


if __name__ == "__main__":
    main()

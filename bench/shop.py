"""A shop to measure on: a month of stored events, and rules that look at them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from warehouse.browser_id import make_browser_id
from warehouse.connection import Warehouse, connect
from warehouse.migrations import migrate

SITE: Final = "shop"
EVENTS_PER_VISITOR: Final = 100
HISTORY_MS: Final = 30 * 86_400_000
#: How long ago a stored history ended, in ms, unless another pause is asked for.
PAUSE_MS: Final = 60_000
#: When the first stored visitor came, epoch ms (9 October 2025); each next came a second later.
FIRST_BORN_MS: Final = 1_760_000_000_000
#: Events in one statement: its memory is bounded, and so is that of what merges its parts.
MAX_CHUNK: Final = 500_000
MIN_CHUNKS: Final = 20
NAMES: Final = (
    "page_view",
    "page_view",
    "view_item",
    "view_item",
    "hover",
    "scroll",
    "dwell",
    "search",
    "add_to_cart",
    "purchase",
)
CATEGORIES: Final = 100

#: `when` and `if`; {n} is another number in each rule, {h} another wait.
TEMPLATES: Final = (
    ('view_item[category == "c{n}"] -> add_to_cart within 2m -> no purchase within {h}h', "true"),
    ("hover[duration >= 3s and price > {n}9]", "count(add_to_cart, 1d) == 0 and count(purchase, 7d) == 0"),
    ('add_to_cart[category == "c{n}"]', "count(add_to_cart, 10m) > 3"),
    ('dwell[duration >= 3m and category == "c{n}"]', "count(scroll, 3m) == 0"),
    ('search[search_term ~ "w{n}*"] -> no (select_item or view_item) within 3{h}m', "true"),
    ('page_view[path ~ "/c{n}/*"]', 'count(page_view[path ~ "/c{n}/*"], 7d) >= 3'),
    ("any -> no any within {h}d", "count(purchase, 30d) >= {n}"),
    ('add_to_cart[category == "c{n}"]', 'cart.value >= {n}0 and device == "mobile"'),
    ("purchase", 'last(view_item.category) == "c{n}" and sum(purchase.value, 30d) > {n}00'),
    ('view_item[category == "c{n}"] -> view_item[category == "c{n}"] within 10m', "local_hour < 20"),
)

#: The id of stored visitor `number % visitors`, the same as `stored_visitor` writes.
_VISITOR: Final = f"""
    number % {{visitors:UInt32}} AS place,
    lower(leftPad(hex(toUInt64({FIRST_BORN_MS}) + place * 1000), 12, '0')) AS born,
    lower(hex(SHA256(concat(born, ':', leftPad(toString(place), 32, '0'))))) AS digest,
    concat(substring(born, 1, 8), '-', substring(born, 9, 4), '-8', substring(digest, 1, 3), '-8',
           substring(digest, 4, 3), '-', substring(digest, 7, 12)) AS visitor
"""
#: Events from {first} on of {visitors} visitors in turn, who came in the {span} milliseconds that ended {ago} ago.
_EVENTS: Final = f"""
INSERT INTO events (site, visitor_id, anonymous_id, event_id, event, type, source, ts, received_at, ingested_at,
                    category, price, value, duration_ms, path, device, timezone, props)
SELECT '{SITE}', visitor, visitor,
       generateUUIDv4() AS event_id, {list(NAMES)}[rand(1) % {len(NAMES)} + 1] AS event,
       'track', 'live', now64(3) - toIntervalMillisecond({{ago:UInt64}} + rand64(6) % {{span:UInt64}}) AS ts, ts, ts,
       concat('c', toString(rand(2) % {CATEGORIES})) AS category, rand(3) % 1000 AS price, price,
       [1000, 3000, 10000, 180000][rand(4) % 4 + 1],
       concat('/', category, '/', toString(rand(5) % 50)), ['mobile', 'desktop'][cityHash64(visitor) % 2 + 1],
       'Europe/Berlin', '{{"colour": "red", "size": 42}}'
FROM (SELECT {_VISITOR} FROM numbers({{first:UInt64}}, {{count:UInt32}}))
"""


def uuid7(born_ms: int, number: int) -> str:
    """Return a version 7 UUID, as the SDK names a message.

    Args:
        born_ms: its time, epoch ms.
        number: takes the place of its random bits; two ids of one number and time are the same.
    """
    born = f"{born_ms:012x}"
    return f"{born[:8]}-{born[8:]}-7{number % 4096:03x}-8000-{number:012x}"


#: The secrets of the visitors that were made, by id.
_SECRETS: dict[bytes, bytes] = {}
_NO_SECRET: Final = b"0" * 32


def new_visitor(born_ms: int, number: int) -> bytes:
    """Return the anonymous id of a visitor, bound to a secret as the SDK's are.

    Args:
        born_ms: when it is made, epoch ms.
        number: another one for each visitor of an instant.
    """
    secret = f"{number:032d}"
    visitor = make_browser_id(born_ms, secret).encode()
    _SECRETS[visitor] = secret.encode()
    return visitor


def secret_of(visitor: bytes) -> bytes:
    """Return what proves that a visitor is who they are."""
    return _SECRETS.get(visitor, _NO_SECRET)


def stored_visitor(number: int) -> str:
    """Return the id of a visitor whose history `fill` stores; numbers start at 0."""
    return new_visitor(FIRST_BORN_MS + number * 1000, number).decode()


def fill(warehouse: Warehouse, events: int, pause_ms: int = PAUSE_MS) -> None:
    """Store a month of events, in the order in which they came, as the parts of a table that grew lie in it.

    Args:
        warehouse: where to.
        events: how many, `EVENTS_PER_VISITOR` of each visitor.
        pause_ms: how long ago the month ended, in ms.
    """
    migrate(warehouse)
    chunks = max(MIN_CHUNKS, events // MAX_CHUNK)
    size, span = events // chunks, HISTORY_MS // chunks
    for chunk in range(chunks):
        store(warehouse, size, events // EVENTS_PER_VISITOR, chunk * size, pause_ms + (chunks - 1 - chunk) * span, span)
        print(f"\rstored {(chunk + 1) * size:,} of {events:,} events", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    warehouse.command("OPTIMIZE TABLE events")


def store(warehouse: Warehouse, count: int, visitors: int, first: int = 0, ago: int = 0, span: int = 1) -> None:
    """Store events of some visitors in turn.

    Args:
        count: how many.
        visitors: of how many.
        first: the number of the first event.
        ago: how many milliseconds ago the latest may have happened.
        span: how many milliseconds before that the earliest.
    """
    parameters = {"count": count, "visitors": visitors, "first": first, "ago": ago, "span": span}
    warehouse.command(_EVENTS, parameters)


def write_rules(folder: Path, count: int, then: str = "") -> None:
    """Write rules, ten patterns in turn.

    Args:
        folder: where to; made.
        count: how many.
        then: what each ends with, such as `send`.
    """
    folder.mkdir(parents=True)
    for number in range(count):
        when, condition = TEMPLATES[number % len(TEMPLATES)]
        text = f"id: r{number}\nwhen: '{when}'\nif: '{condition}'\n{then}"
        variant = number // len(TEMPLATES)
        text = text.replace("{n}", str(variant % CATEGORIES)).replace("{h}", str(1 + variant % 5))
        (folder / f"r{number}.yaml").write_text(text)


if __name__ == "__main__":
    with connect(sys.argv[1]) as opened:
        fill(opened, int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else PAUSE_MS)

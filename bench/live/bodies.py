"""Requests as the SDK sends them, encoded before the run; only ids, times and a probe's number are filled in."""

from __future__ import annotations

import json
import random
import time
from itertools import chain, count
from operator import itemgetter
from typing import Any, Final

from bench.shop import CATEGORIES, NAMES, secret_of

WRITE_KEY: Final = "bench"
#: An event of this category completes one of `bench.live.product.MEASURED_RULES`, or two at once.
MEASURED_CATEGORIES: Final = ("measured-count", "measured-sequence")
#: Requests prepared of each number of events.
VARIANTS: Final = 48
#: Between the events of one request, and between the last of them and the sending, in ms.
EVENT_DISTANCE_MS: Final = 120
SEND_DELAY_MS: Final = 20

_ID, _VISITOR, _TIME, _PROBE, _SECRET = "<id>", "<visitor>", "<time>", "<probe>", "<secret>"
#: The order of a purchase, which is named as its event is.
_ORDER: Final = "<order>"
#: How wide each of them is on the wire, in bytes; so every request of a variant is of one length.
_WIDTHS: Final = {_ID: 36, _ORDER: 36, _VISITOR: 36, _TIME: 24, _PROBE: 8, _SECRET: 32}
_AGENTS: Final = tuple(
    f"Mozilla/5.0 ({machine}"
    for machine in (
        "Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        "iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
        "Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
        "X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    )
)


class Request:
    """A prepared request with places for what differs from sending to sending.

    Args:
        events: the events of the batch, with `<id>` and so on where something is to be filled in.
        agent: the browser's User-Agent.
    """

    def __init__(self, events: list[dict[str, Any]], agent: str) -> None:
        self.events = len(events)
        body = json.dumps(_batch(events), separators=(",", ":"))
        length = len(body)
        for place, width in _WIDTHS.items():
            length += body.count(place) * (width - len(place))
        self._text = (_head(agent, length) + body).encode().replace(b"%", b"%%")
        self._pick = itemgetter(*_positions([place for _, place in sorted(_places(self._text))]))
        for place in _WIDTHS:
            self._text = self._text.replace(place.encode(), b"%b")

    def fill(self, visitor: bytes, ids: list[bytes], sent_ms: int, probe: int = 0) -> bytes:
        """Return the bytes to send.

        Args:
            visitor: the anonymous id.
            ids: a message id for each event.
            sent_ms: when it is sent, epoch ms; the last event happened `SEND_DELAY_MS` before.
            probe: names the event whose banner is waited for; 0 for none.
        """
        first_ms = sent_ms - SEND_DELAY_MS - (self.events - 1) * EVENT_DISTANCE_MS
        times = [iso_time(first_ms + number * EVENT_DISTANCE_MS) for number in range(self.events)]
        row = (visitor, b"%08d" % probe, secret_of(visitor), iso_time(sent_ms), *chain(*zip(ids, times, strict=True)))
        filled: bytes = self._text % self._pick(row)
        return filled


def prepare(choose: random.Random, events: int, *, first: bool = False, measured: bool = False) -> list[Request]:
    """Return requests of so many events.

    Args:
        choose: makes the same requests of the same seed.
        events: in each request.
        first: whether the visitor comes with it: it begins with a page view.
        measured: whether its last event completes a measured rule; then there are at least two events.
    """
    return [_request(choose, events, first, measured) for _ in range(VARIANTS)]


_second = -1
_second_text = b""


def iso_time(at_ms: int) -> bytes:
    """Return an instant in epoch ms as `2026-11-22T12:00:00.000Z`."""
    global _second, _second_text
    second, ms = divmod(at_ms, 1000)
    if second != _second:
        _second, _second_text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
    return b"%b.%03dZ" % (_second_text, ms)


def _request(choose: random.Random, events: int, first: bool, measured: bool) -> Request:
    names = ["page_view"] if first else []
    names += [choose.choice(NAMES) for _ in range(events - len(names))]
    messages = [_message(choose, name, f"c{choose.randrange(CATEGORIES)}") for name in names]
    if measured:
        category = choose.choice(MEASURED_CATEGORIES)
        messages[-2:] = [_message(choose, "view_item", category), _message(choose, "add_to_cart", category)]
        messages[-1]["properties"]["probe"] = _PROBE
    return Request(messages, choose.choice(_AGENTS))


def _message(choose: random.Random, name: str, category: str) -> dict[str, Any]:
    price, path = float(choose.randrange(1000)), f"/{category}/{choose.randrange(50)}"
    product = {"product_id": f"p{choose.randrange(5000)}", "category": category, "price": price, "value": price}
    if name == "purchase":
        product["order_id"] = _ORDER
    return {
        "type": "track",
        "event": name,
        "messageId": _ID,
        "anonymousId": _VISITOR,
        "timestamp": _TIME,
        "properties": {**product, "duration_ms": choose.choice([1000, 3000, 10_000, 180_000]), "colour": "red"},
        "context": {
            "sessionId": _VISITOR,
            "seq": choose.randrange(1, 60),
            "page": {
                "path": path,
                "url": f"https://shop.example{path}",
                "title": f"Products of {category}",
                "referrer": "https://shop.example/",
                "type": "product",
            },
        },
    }


def _batch(events: list[dict[str, Any]]) -> dict[str, Any]:
    context = {
        "library": {"name": "mm.js", "version": "0.1.0"},
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "screen": {"width": 390, "height": 844},
    }
    return {"writeKey": WRITE_KEY, "browserSecret": _SECRET, "sentAt": _TIME, "context": context, "batch": events}


def _head(agent: str, length: int) -> str:
    return (
        "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain;charset=UTF-8\r\nAccept: */*\r\n"
        f"Accept-Language: de-DE,de;q=0.9\r\nOrigin: https://shop.example\r\nReferer: https://shop.example/\r\n"
        f"User-Agent: {agent}\r\nContent-Length: {length}\r\n\r\n"
    )


def _positions(places: list[str]) -> list[int]:
    """Return, for each place in the text, which of the values stands there that `Request.fill` puts in a row.

    The row is: visitor, probe, secret, time of the sending, then id and time of each event.
    """
    ids, times, others = count(4, 2), count(3, 2), (_VISITOR, _PROBE, _SECRET)
    positions, event = [], 0
    for place in places:
        if place == _ID:
            event = next(ids)
        positions.append(event if place in (_ID, _ORDER) else next(times) if place == _TIME else others.index(place))
    return positions


def _places(text: bytes) -> list[tuple[int, str]]:
    found = []
    for place in _WIDTHS:
        start = text.find(place.encode())
        while start >= 0:
            found.append((start, place))
            start = text.find(place.encode(), start + 1)
    return found

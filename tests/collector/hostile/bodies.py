"""Bodies that somebody sends who wants to do harm, or whose program is broken, by name.

Each is sent to every route that takes events. A new one is a line here.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
import zlib
from collections.abc import Callable
from typing import Any, Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

KEY: Final = "shop-key"
_DIGITS: Final = b"9" * 4000


def of(*messages: Any, **fields: Any) -> bytes:
    """Return the body of a batch of these messages, with the shop's key."""
    return json.dumps({"writeKey": KEY, "batch": list(messages), **fields}).encode()


def around(middle: bytes, **fields: bytes) -> bytes:
    """Return a batch of one event whose properties are this text, and of which fields are these texts."""
    more = b"".join(b'"%s":%s,' % (name.encode(), value) for name, value in fields.items())
    event = b'{"type":"track","anonymousId":"a","messageId":"m","event":"Product Viewed",%s"properties":%s}'
    return b'{"writeKey":"%s","batch":[%s]}' % (KEY.encode(), event % (more, middle))


def _wrapped(wrap: Callable[[bytes], bytes], times: int) -> bytes:
    """Return a batch that is wrapped so many times."""
    body = of()
    for _ in range(times):
        body = wrap(body)
    return body


def bomb(unit: bytes, count: int, head: bytes = b'{"writeKey":"shop-key","batch":[0', tail: bytes = b"]}") -> bytes:
    """Return a gzip of a body that repeats one text."""
    squeeze = zlib.compressobj(9, wbits=31)
    parts = [squeeze.compress(head), *(squeeze.compress(unit * 1000) for _ in range(count // 1000))]
    return b"".join([*parts, squeeze.compress(tail), squeeze.flush()])


_VALUES: Final[dict[str, bytes]] = {
    "a number of 4,000 digits": _DIGITS,
    "a number of 5,000 digits": b"9" * 5000,
    "a number of 300,000 digits": b"9" * 300_000,
    "a fraction of 300,000 digits": b"0." + b"9" * 300_000,
    "an exponent of 300,000 digits": b"1e" + b"9" * 300_000,
    "beyond floats": b"1e400",
    "below floats": b"-1e400",
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "NaN as text": b'"NaN"',
    "digits as text": b'"%s"' % _DIGITS,
    "half a surrogate pair": b'"\\ud800"',
    "the other half": b'"\\udfff"',
    "no UTF-8": b'"\xff\xfe"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "an overlong slash": b'"\xc0\xaf"',
    "a null character": b'"\\u0000"',
    "control characters": b'"\\u0001\\u001b[31m\\u202e"',
    "a raw control character": b'"\x01"',
    "text of 300 KB": b'"%s"' % (b"a" * 300_000),
    "objects 500 deep": b'{"a":' * 500 + b"1" + b"}" * 500,
    "lists 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "lists without an end": b"[" * 100_000,
    "10,000 items": b"[%s{}]" % (b'{"id":1},' * 10_000),
    "items that are none": b"[0,null,[],{}]",
    "2,500 keys": b"{%s}" % b",".join(b'"k%d":1' % number for number in range(2_500)),
    "a key of 30 KB": b'{"%s":1}' % (b"k" * 30_000),
    "the same key twice": b'{"a":1,"a":[2]}',
    "null": b"null",
    "true": b"true",
    "an empty list": b"[]",
    "an empty object": b"{}",
}

BODIES: Final[dict[str, bytes]] = {
    "nothing": b"",
    "a space": b" ",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1",
    "half a body": of({"type": "track"})[:-3],
    "two bodies": of() * 2,
    "a byte order mark": b"\xef\xbb\xbf" + of(),
    "UTF-16": of().decode().encode("utf-16"),
    "no batch": b'{"writeKey":"shop-key"}',
    "a batch that is null": b'{"writeKey":"shop-key","batch":null}',
    "a batch that is an object": b'{"writeKey":"shop-key","batch":{"a":1}}',
    "two batches": b'{"writeKey":"shop-key","batch":[],"batch":[1,2]}',
    "two keys": b'{"writeKey":"?","writeKey":"shop-key","batch":[]}',
    "a key that is a number": b'{"writeKey":1,"batch":[]}',
    "a key of half a surrogate": b'{"writeKey":"\\ud800","batch":[]}',
    "a key of 300 KB": b'{"writeKey":"%s","batch":[]}' % (b"a" * 300_000),
    "messages of every kind": of(*(0, None, [], {}, "x", True, 1.5, [[]], {"type": "?"})),
    "9,000 zeros": of(*([0] * 9_000)),
    "100,000 zeros": of(*([0] * 100_000)),
    "a million zeros, gzipped": bomb(b",0", 1_000_000),
    "600,000 objects, gzipped": bomb(b",{}", 600_000),
    "200 MB of zeros, gzipped": bomb(b",0", 100_000_000),
    "a context of a million zeros, gzipped": bomb(
        b",0", 900_000, b'{"writeKey":"shop-key","batch":[],"context":{"a":[0'
    ),
    "a gzip cut off": gzip.compress(of())[:-6],
    "a gzip in a gzip": gzip.compress(gzip.compress(of())),
    "a gzip of two parts": gzip.compress(of()[:10]) + gzip.compress(of()[10:]),
    "a gzip with more after it": gzip.compress(of()) + b"more",
    "a gzip that states less than it holds": gzip.compress(of())[:-4] + b"\1\0\0\0",
    "a gzip that states more than it holds": gzip.compress(of())[:-4] + b"\xff\xff\xff\xff",
    "a gzip of rubbish": b"\x1f\x8b\x08\x00" + b"\xff" * 200,
    "a gzip of 400,000 empty parts": gzip.compress(b"") * 20_000,
    "a gzip, filled up with zeros": gzip.compress(of()) + bytes(400_000),
    "200 MB of zeros, as zlib": zlib.compress(bytes(200_000_000), 9),
    "50 MB of zeros, as zstd": zstd.compress(bytes(50_000_000)),
    "a zstd of rubbish": b"\x28\xb5\x2f\xfd" + b"\xff" * 400_000,
    "a zstd with a window of 2 GB": b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(100),
    "400 KB of UTF-16": ("[" + '"\u20ac",' * 40_000 + "1]").encode("utf-16"),
    "base64 in base64 in base64": _wrapped(base64.b64encode, 5),
    "gzip in gzip in gzip": _wrapped(gzip.compress, 9),
    "JSON in JSON in JSON": _wrapped(lambda inner: json.dumps(inner.decode()).encode(), 9),
    "a damaged body of 100,000 messages, gzipped": bomb(b',{"a":NaN}', 100_000),
    "a damaged body of 2 MB of quotes, gzipped": bomb(b'\\"', 900_000, b'{"writeKey":"shop-key","batch":["', b"]}"),
    "a damaged body of 2 MB of NaN, gzipped": bomb(b",NaN", 500_000, b'{"writeKey":"shop-key","batch":[[0', b"]]}"),
    "a damaged body of no UTF-8, gzipped": bomb(b"\xff", 1_900_000, b'{"writeKey":"shop-key","batch":["', b'",NaN]}'),
    "a damaged context of 2 MB, gzipped": bomb(
        b",NaN", 490_000, b'{"writeKey":"shop-key","batch":[],"context":{"a":[0'
    ),
    "a form of percent signs": b"data=" + b"%" * 400_000,
    "a form of broken escapes": b"data=" + b"%zz" * 130_000,
    "a form of a brace, escaped": b"data=" + b"%7B" * 130_000,
    "a form of 100,000 fields": b"data=x" + b"&a=1" * 100_000,
    "a form of no base64": b"data=!!!!",
    "a form, gzipped, of megabytes": bomb(b"%7B", 600_000, b"data=", b""),
    "a context that is a list": of(context=[]),
    "a context of everything wrong": (
        b'{"writeKey":"shop-key","batch":[{"type":"page","anonymousId":"a"}],"context":{"page":[1],"campaign":1,'
        b'"location":"x","userAgent":{"a":1},"timezone":[1],"consent":5,"seq":%s,"sessionId":{},"locale":7}}' % _DIGITS
    ),
    "a context of numbers without end": b'{"writeKey":"shop-key","batch":[],"context":{"page":{"url":%s}}}' % _DIGITS,
    "sent at a list": of(sentAt=[]),
    "sent at a number without end": b'{"writeKey":"shop-key","batch":[],"sentAt":%s}' % _DIGITS,
    "sent before everything": of({"type": "page", "anonymousId": "a"}, sentAt=-1e300),
    "2,500 user agents": of(
        *(
            {"type": "page", "anonymousId": "a", "context": {"userAgent": f"Mozilla/5.0 {number}" + "; ;" * 50}}
            for number in range(1_500)
        )
    ),
    "events of 120 months": of(
        *(
            {"type": "page", "anonymousId": "a", "timestamp": f"{2016 + month // 12}-{month % 12 + 1:02d}-01T00:00:00Z"}
            for month in range(120)
        )
    ),
    **{f"as a property: {name}": around(b'{"price":2.5,"quantity":%s}' % value) for name, value in _VALUES.items()},
    **{f"as the price: {name}": around(b'{"price":%s,"quantity":1.5}' % value) for name, value in _VALUES.items()},
    **{f"as properties: {name}": around(value) for name, value in _VALUES.items()},
    **{f"as the time: {name}": around(b"{}", timestamp=value) for name, value in _VALUES.items()},
    **{f"as an id: {name}": around(b"{}", userId=value) for name, value in _VALUES.items()},
    **{f"as the context: {name}": around(b"{}", context=value) for name, value in _VALUES.items()},
    **{
        f"as traits: {name}": around(b"{}", traits=value).replace(b'"type":"track"', b'"type":"identify"')
        for name, value in _VALUES.items()
    },
    **{
        f"in the context: {name}": around(b"{}", context=b'{"page":{"url":%s},"timezone":%s}' % (value, value))
        for name, value in _VALUES.items()
    },
}

"""A banner, the browser that may show it, and how both are written to pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

#: The first block of a stream: a sign of life, and how soon a page that lost its stream connects again, in ms.
OPENING: Final = b": open\r\nretry: 2000\r\n\r\n"
#: A sign of life on a silent stream, by which both sides learn that the other is gone.
HEARTBEAT: Final = b": heartbeat\r\n\r\n"


class Browser(msgspec.Struct, frozen=True, gc=False):
    """A browser on a site, by the anonymous id that its pages share."""

    site: str
    anonymous_id: str


class Banner(msgspec.Struct, frozen=True, gc=False):
    """A banner that one browser may show.

    Args:
        message_id: the message that the banner is.
        payload: its JSON.
        expires_at: the end of its life, epoch ms.
    """

    message_id: str
    payload: bytes
    expires_at: int


def as_json(banners: Iterable[Banner]) -> list[Any]:
    """Return banners as values of a JSON reply, their own JSON unchanged."""
    return [msgspec.Raw(banner.payload) for banner in banners]


def as_event(banner: Banner) -> bytes:
    """Return a banner as a block of an event stream; a line break in it begins another line of its data."""
    name = "".join(banner.message_id.splitlines())
    data = b"\r\ndata: ".join(banner.payload.splitlines())
    return b"id: %b\r\nevent: banner\r\ndata: %b\r\n\r\n" % (name.encode(), data)

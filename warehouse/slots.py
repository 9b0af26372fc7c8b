"""The slots by which visitors are dealt out to the processes that decide about them."""

from __future__ import annotations

import zlib
from typing import Final

#: The number of slots. It is part of what processes of one installation agree on: all change together.
SLOTS: Final = 64
ALL_SLOTS: Final = frozenset(range(SLOTS))


def slot_of(site: str, visitor_id: str) -> int:
    """Return the slot of a visitor on a site, from 0 to `SLOTS - 1`: the same in every process and version.

    It is the CRC-32 (of zlib, as in PNG) of the site, a NUL character and the visitor's id in UTF-8, modulo the number
    of slots. Several ids of one person may lie in several slots: whoever owns a person gives its canonical id.
    """
    return zlib.crc32(f"{site}\0{visitor_id}".encode()) % SLOTS

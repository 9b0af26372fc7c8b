"""Turns an event that was dropped or warned of into an example that may be kept: it holds nothing personal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from collector.intake.mending import mend
from warehouse.faults import FaultKind

_LONGEST_NAME: Final = 64
_LONGEST_DETAIL: Final = 200
#: What stands in quotes was sent by whoever sent the event; so may have been an address, or a long number.
_VALUES: Final = re.compile(r"'.*'|\".*\"|\S*@\S*|\d[\d ()/.-]{5,}\d", re.DOTALL)
_LIBRARY: Final = re.compile(r"@?[A-Za-z][\w.-]{0,39}(?:/[\w.-]{1,40})?", re.ASCII)
_VERSION: Final = re.compile(r"[0-9][\w.+-]{0,23}", re.ASCII)


class Example(msgspec.Struct, frozen=True):
    """One event with a fault: its name, its sender's library, and what is wrong with it, as they may be kept."""

    event: str = ""
    sender: str = ""
    detail: str = ""


class Sighting(msgspec.Struct, frozen=True):
    """An event with a fault as it was seen; what may be kept of it is worked out for a few of many.

    Args:
        detail: what is wrong with it.
        event: its name, '' where only the message says it.
        context: its batch's.
        message: as it was sent; empty where there is none any more, or never was one.
    """

    detail: str
    event: str = ""
    context: Mapping[str, object] = {}
    message: bytes | msgspec.Raw = b""


#: A drop's or a warning's reason; the sets have codes in common.
FaultKey = tuple[FaultKind, str]


class _Sent(msgspec.Struct):
    """What of a message tells who sent it."""

    event: object = None
    type: object = None
    context: object = None


_decode: Final = msgspec.json.Decoder(_Sent).decode


def without_values(text: str) -> str:
    """Return a text without what may have been sent by whoever it is about."""
    return _VALUES.sub("...", text)[:_LONGEST_DETAIL]


def example_of(sighting: Sighting) -> Example:
    """Return what may be kept of an event that was seen."""
    name: object = sighting.event
    sender = ""
    if sighting.message:
        sent = _read(bytes(sighting.message))
        name = name or (sent.event if isinstance(sent.event, str) else sent.type)
        sender = sender_of(sent.context) if isinstance(sent.context, dict) else ""
    return Example(_name(name), sender or sender_of(sighting.context), without_values(sighting.detail))


def sender_of(context: Mapping[str, object]) -> str:
    """Return the library that a context names, with its version; '' where it says none that can be one."""
    library = context.get("library")
    if not isinstance(library, dict):
        return ""
    name, version = library.get("name"), library.get("version")
    if not isinstance(name, str) or not _LIBRARY.fullmatch(name):
        return ""
    return f"{name} {version}" if isinstance(version, str) and _VERSION.fullmatch(version) else name


def _read(raw: bytes) -> _Sent:
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        mended = mend(raw)
    value = mended.value if mended else None
    return _Sent(value.get("event"), value.get("type"), value.get("context")) if isinstance(value, dict) else _Sent()


def _name(event: object) -> str:
    return without_values(event.strip())[:_LONGEST_NAME] if isinstance(event, str) and event.isprintable() else ""

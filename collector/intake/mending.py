"""Reads a JSON text that a decoder refused: what can be mended is mended in that value alone, and told.

It takes time in proportion to the length of the text, and is asked of a message or of the rest of a body only once the
decoder has refused it.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from math import inf, isfinite
from typing import Any, Final

import msgspec

from collector.intake.draft import WarningReason

#: A warning to come: what was mended, and where.
Repair = tuple[WarningReason, str]


class Mended(msgspec.Struct, frozen=True):
    """The value of a JSON text, and what was mended in it."""

    value: Any
    repairs: tuple[Repair, ...]


#: What is said of a repair, behind the places that it names.
_SAID: Final = {
    WarningReason.TEXT_REPAIRED: "no whole characters of UTF-8; replaced by U+FFFD",
    WarningReason.NUMBER_REPAIRED: "no number that JSON has; read as null",
    WarningReason.JSON_REPAIRED: "no JSON (a comma too many, undefined, a line break in a text); read all the same",
}
#: Places that a warning names; of more, it tells the number.
_MOST_PLACES: Final = 3
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$-]{0,39}", re.ASCII)
_HALF: Final = re.compile("[\ud800-\udfff]")
#: A character beyond U+FFFF as two halves of three bytes each (CESU-8), as some databases write it; and one half.
_HALVES_IN_BYTES: Final = re.compile(rb"\xed([\xa0-\xaf][\x80-\xbf])\xed([\xb0-\xbf][\x80-\xbf])")
_HALF_IN_BYTES: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
#: A text; a comma before an end; a word or a number.
_LOOSE: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|,\s*+(?=[}\]])|[^\s"{}\[\]:,]++', re.DOTALL)
_ESCAPE: Final = re.compile(r'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}|u|.)', re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?+(?:\d++\.?+\d*+|\.\d++)(?:[eE][+-]?+\d++)?+", re.ASCII)
_LEADING_NOUGHT: Final = re.compile(r"0\d++", re.ASCII)
_JSON_NUMBER: Final = re.compile(r"-?+(?:0|[1-9]\d*+)(?:\.\d++)?+(?:[eE][+-]?+\d++)?+", re.ASCII)
#: How programs write a value that is none, beside JSON's own words.
_WORDS: Final = {
    **dict.fromkeys(("nan", "inf", "infinity"), "NaN"),
    **dict.fromkeys(("undefined", "none", "nil", "null"), "null"),
    "true": "true",
    "false": "false",
}
#: A whole number of more digits is beyond every float.
_MOST_DIGITS: Final = 309
_AROUND: Final = " \t\r\n\0\ufeff"


def mend(text: bytes) -> Mended | None:
    """Return the value of a JSON text and what was mended in it, None when it cannot be read."""
    repairs = _Repairs()
    whole = _HALVES_IN_BYTES.sub(_as_escapes, text)
    if whole != text:
        repairs.note(WarningReason.TEXT_REPAIRED, None)
    # A byte that is no UTF-8 becomes half a character, which is mended as one.
    letters = _HALF_IN_BYTES.sub(b"\xff", whole).decode("utf-8", "surrogateescape")
    try:
        value = repairs.mended(repairs.parsed(letters.strip(_AROUND)), ())
    except (ValueError, RecursionError):
        return None
    return Mended(value, repairs.told())


class _Repairs:
    """Mends one value, and remembers where."""

    def __init__(self) -> None:
        self._places: defaultdict[WarningReason, list[str]] = defaultdict(list)
        self._count: defaultdict[WarningReason, int] = defaultdict(int)

    def note(self, reason: WarningReason, place: tuple[object, ...] | None) -> None:
        """Remember a repair at a place, None for one that is not known."""
        self._count[reason] += 1
        if place is not None and len(self._places[reason]) < _MOST_PLACES:
            self._places[reason].append(_named(place))

    def told(self) -> tuple[Repair, ...]:
        """Return what was mended, each reason once."""
        return tuple((reason, self._detail(reason)) for reason in self._count)

    def parsed(self, letters: str) -> object:
        """Return the value of a text, with numbers and halves of characters in it that JSON cannot say.

        Raises:
            ValueError: it cannot be read.
        """
        try:
            return _decoder.decode(letters)
        except json.JSONDecodeError:
            value = _lenient_decoder.decode(_LOOSE.sub(_tightened, letters))
            self.note(WarningReason.JSON_REPAIRED, None)
            return value

    def mended(self, value: object, place: tuple[object, ...]) -> object:
        """Return a value without what JSON cannot say."""
        if isinstance(value, str):
            return self._text(value, place)
        if isinstance(value, float):
            return self._number(value, place)
        if isinstance(value, dict):
            return {self._text(name, (*place, name)): self.mended(each, (*place, name)) for name, each in value.items()}
        if isinstance(value, list):
            return [self.mended(each, (*place, number)) for number, each in enumerate(value)]
        return value

    def _text(self, value: str, place: tuple[object, ...]) -> str:
        if value.isascii() or not _HALF.search(value):
            return value
        self.note(WarningReason.TEXT_REPAIRED, place)
        return _HALF.sub("\ufffd", value)

    def _number(self, value: float, place: tuple[object, ...]) -> float | None:
        if isfinite(value):
            return value
        self.note(WarningReason.NUMBER_REPAIRED, place)
        return None

    def _detail(self, reason: WarningReason) -> str:
        places, count = self._places[reason], self._count[reason]
        more = f" and {count - len(places)} more" if places and count > len(places) else ""
        return f"{', '.join(places)}{more}: {_SAID[reason]}" if places else _SAID[reason]


def _named(place: tuple[object, ...]) -> str:
    """Return a place such as `properties.items[0].title`; a name that may be anything stands as three dots."""
    named = ""
    for step in place:
        if isinstance(step, int):
            named += f"[{step}]"
        else:
            named += f".{step}" if isinstance(step, str) and _PLAIN_KEY.fullmatch(step) else ".…"
    return named.removeprefix(".") or "the message"


def _as_escapes(found: re.Match[bytes]) -> bytes:
    """Return the two halves of a character as a JSON text may have them."""
    return b"".join(b"\\u%04x" % (0xD000 | (half[0] & 0x3F) << 6 | half[1] & 0x3F) for half in found.groups())


def _tightened(found: re.Match[str]) -> str:
    """Return a part of a text as JSON has it."""
    part = found[0]
    if part[0] == '"':
        return _ESCAPE.sub(_known_escape, part) if "\\" in part else part
    if part[0] == ",":
        return ""
    if _LEADING_NOUGHT.fullmatch(part):
        # As of an article or a postcode: the noughts are part of it.
        return f'"{part}"'
    if _NUMBER.fullmatch(part):
        return part if _JSON_NUMBER.fullmatch(part) else _json_number(float(part))
    return _WORDS.get(part.lstrip("+-").lower(), part)


def _known_escape(found: re.Match[str]) -> str:
    r"""Return an escape that JSON knows: of `\x`, the letter; of `\u` without its digits, half a character."""
    escape = found[0]
    if len(escape) > 2 or escape[1] in '"\\/bfnrt':
        return escape
    return "\ud800" if escape[1] == "u" else escape[1]


def _json_number(number: float) -> str:
    return repr(number) if isfinite(number) else "NaN"


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else inf


_decoder: Final = json.JSONDecoder(parse_int=_whole)
_lenient_decoder: Final = json.JSONDecoder(parse_int=_whole, strict=False)

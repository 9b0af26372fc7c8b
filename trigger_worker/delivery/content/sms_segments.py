"""How many parts a text message is cut into: what networks carry, and what providers charge for.

The alphabet is that of 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1; the lengths are those of 3GPP TS 23.040.
"""

from __future__ import annotations

from typing import Final

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Each of them takes two places.
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")

_GSM_ALONE: Final = 160
_GSM_JOINED: Final = 153
_UCS2_ALONE: Final = 70
_UCS2_JOINED: Final = 67


def count_segments(text: str) -> int:
    """Return the number of parts: one letter outside the GSM alphabet makes every part shorter.

    A letter of two places is never cut in the middle, so that such letters may need a part more than their sum.
    """
    if all(character in _BASIC or character in _EXTENDED for character in text):
        return _parts([2 if character in _EXTENDED else 1 for character in text], _GSM_ALONE, _GSM_JOINED)
    return _parts([2 if ord(character) > 0xFFFF else 1 for character in text], _UCS2_ALONE, _UCS2_JOINED)


def _parts(places: list[int], alone: int, joined: int) -> int:
    if sum(places) <= alone:
        return 1
    parts, used = 1, 0
    for place in places:
        if used + place > joined:
            parts, used = parts + 1, 0
        used += place
    return parts

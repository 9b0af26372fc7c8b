"""Finds and changes the addresses in the text of an email."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_ADDRESS: Final = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
#: What ends a sentence rather than an address.
_PUNCTUATION: Final = ".,;:!?'*_]}»”’…"


def rewrite_addresses(text: str, replace: Callable[[str], str]) -> str:
    """Gives a text with other addresses.

    Args:
        text: plain text.
        replace: gives what takes the place of an http(s) address.
    """

    def changed(match: re.Match[str]) -> str:
        address = _address(match[0])
        return replace(address) + match[0][len(address) :]

    return _ADDRESS.sub(changed, text)


def _address(found: str) -> str:
    """Leaves out the punctuation that follows an address, and the bracket that was opened before it."""
    while found and (found[-1] in _PUNCTUATION or (found[-1] == ")" and found.count(")") > found.count("("))):
        found = found[:-1]
    return found

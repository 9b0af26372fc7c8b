"""Addresses as they are compared: the same mailbox or telephone, however it is written."""

from __future__ import annotations

import re
from typing import Final

from warehouse.errors import RuleError

#: What people write between digits, and the zero that is dialled within a country only: +49 (0)151.
_SEPARATORS: Final = re.compile(r"\(0\)|[\s()./-]")
_MAILBOX: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
#: ITU-T E.164: a country code and at most 15 digits in all.
_TELEPHONE: Final = re.compile(r"\+\d{6,15}", re.ASCII)


def normalised(address: str) -> str:
    """Returns an email address in lower case, or a telephone number as `+` and digits; anything else nearly as it is.

    Capital letters before the `@` may mean another mailbox by RFC 5321, but nowhere do: two people are not told apart
    by them, and one who complained is not written to again.
    """
    text = address.strip()
    if "@" in text:
        return text.casefold()
    digits = _SEPARATORS.sub("", text)
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def parse_address(text: str) -> str:
    """Reads an email address or an international telephone number, normalised.

    Raises:
        RuleError: when it is neither.
    """
    address = normalised(text)
    if not (_MAILBOX.fullmatch(address) or _TELEPHONE.fullmatch(address)):
        expected = "an email address or a telephone number such as +49 171 1234567"
        raise RuleError(f'expected {expected}, found "{text.strip()[:80]}"')
    return address

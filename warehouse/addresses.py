"""Addresses of people: whether a text is an email address or a telephone number, and one form for comparing them."""

from __future__ import annotations

import re
from typing import Final

from warehouse.errors import RuleError

#: What people write between digits, and the zero that is dialled within a country only: +49 (0)151.
_SEPARATORS: Final = re.compile(r"\(0\)|[\s()./-]")
_MAILBOX: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
#: ITU-T E.164: a country code and at most 15 digits in all.
_TELEPHONE: Final = re.compile(r"\+\d{6,15}", re.ASCII)
#: E.164 as providers take it: the country code starts with no zero.
_DIALLED: Final = re.compile(r"\+[1-9][0-9]{6,14}")
#: Characters of a number with what people write between its digits.
_LONGEST_WRITTEN: Final = 40
_EMAIL_LENGTH: Final = 254  # RFC 5321


def normalised(address: str) -> str:
    """Return an email address in lower case, a telephone number as `+` and digits, any other text nearly unchanged.

    Capital letters before the `@` may mean another mailbox by RFC 5321, but nowhere do: two people are not told apart
    by them, and a person who complained is not written to again.
    """
    text = address.strip()
    if "@" in text:
        mailbox, _, domain = text.casefold().rpartition("@")
        return f"{mailbox}@{_ascii_domain(domain)}"
    digits = _SEPARATORS.sub("", text)
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def _ascii_domain(domain: str) -> str:
    """Return a domain as mail servers look it up, `xn--...` for other scripts; as it stands where it is no domain."""
    domain = domain.rstrip(".")
    try:
        return domain if domain.isascii() else domain.encode("idna").decode().casefold()
    except UnicodeError:
        return domain


def parse_address(text: str) -> str:
    """Return an email address or an international telephone number, normalised, as an operator wrote it.

    Raises:
        RuleError: the text is neither.
    """
    address = normalised(text)
    if not (_MAILBOX.fullmatch(address) or _TELEPHONE.fullmatch(address)):
        expected = "an email address or a telephone number such as +49 171 1234567"
        raise RuleError(f'expected {expected}, found "{text.strip()[:80]}"')
    return address


def email_address(value: object) -> str:
    """Return an email address that may be sent to, or ''; a page is not trusted to send a valid one."""
    text = value.strip() if isinstance(value, str) else ""
    local, _, domain = text.rpartition("@")
    plain = text.isascii() and text.isprintable() and not any(character in text for character in ' ,;<>"()[]\\')
    return text if local and "@" not in local and "." in domain and plain and len(text) <= _EMAIL_LENGTH else ""


def phone_number(value: object) -> str:
    """Return a telephone number in the form of E.164, or ''; a page is not trusted to send a valid one.

    A number without its country code is not valid.
    """
    number = normalised(value) if isinstance(value, str) and len(value) <= _LONGEST_WRITTEN else ""
    return number if _DIALLED.fullmatch(number) else ""

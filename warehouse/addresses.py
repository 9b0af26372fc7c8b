"""Addresses of people: whether a text is an email address or a telephone number, and one form for comparing them."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final, NamedTuple

import idna

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
_MAILBOX_LENGTH: Final = 64
#: Characters of a text in which an address is looked for at all.
_LONGEST_TEXT: Final = 1_000
#: Invisible characters that come along when an address is copied; and the sign that Japanese keyboards write.
_COPIED: Final = str.maketrans({**dict.fromkeys("\u200b\u2060\ufeff\u00ad"), "\uff20": "@"})
#: An address with what may stand around it: a name before angle brackets, or the scheme of a link.
_NAMED: Final = re.compile(r'((?:[^<>"@,;]|"[^"]*")*)<([^<>]*)>')
_LINK: Final = re.compile(r"(?:mailto:)+([^?]*)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
#: A mailbox without quotes (RFC 5322's dot-atom, with the letters of RFC 6532), and a domain of names.
_ATOMS: Final = re.compile(r"[^\s\"(),.:;<>@\[\]\\\x7f-\x9f]+(?:\.[^\s\"(),.:;<>@\[\]\\\x7f-\x9f]+)*")
_NAMES: Final = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+", re.IGNORECASE
)


class EmailTrouble(StrEnum):
    """Why no mail can go to what stands where an email address is expected: a closed set."""

    NONE = ""  #: it is an address
    NO_ADDRESS = "no_address"  #: no text with an `@` between a mailbox and a domain
    SEVERAL = "several"  #: more than one address
    IP_LITERAL = "ip_literal"  #: the domain is an address of the internet, `[192.0.2.1]`, where no reader is known
    QUOTED = "quoted"  #: a mailbox that only quotes can hold, such as `"a b"@x.example`
    BAD_MAILBOX = "bad_mailbox"  #: characters or dots that no mailbox has
    BAD_DOMAIN = "bad_domain"  #: no domain that can be looked up
    TOO_LONG = "too_long"  #: more than 254 bytes, or 64 before the `@`


class ReadEmail(NamedTuple):
    """An email address that may be sent to, or '' and why there is none."""

    address: str
    trouble: EmailTrouble = EmailTrouble.NONE


def normalised(address: str) -> str:
    """Return an email address in lower case, a telephone number as `+` and digits, any other text nearly unchanged.

    Capital letters before the `@` may mean another mailbox by RFC 5321, but nowhere do: two people are not told apart
    by them, and a person who complained is not written to again. A domain is compared as mail servers look it up, and
    what stands around an address, such as a name, does not matter.
    """
    text = _bare(address)
    if "@" in text:
        mailbox, _, domain = text.rpartition("@")
        return f"{_folded(_unquoted(mailbox))}@{_ascii_domain(domain)}"
    digits = _SEPARATORS.sub("", text)
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def _bare(text: str) -> str:
    """Return an address without the name or scheme around it; any other text trimmed."""
    text = text.translate(_COPIED).strip()
    if len(text) > _LONGEST_TEXT:
        return text
    named = _NAMED.fullmatch(text)
    if named and "@" in named[2]:
        text = named[2].strip()
    link = _LINK.fullmatch(text)
    return link[1].strip() if link and "@" in link[1] else text


def _unquoted(mailbox: str) -> str:
    """Return a mailbox without quotes that it does not need: both spellings are one mailbox (RFC 5321, 4.1.2)."""
    inner = mailbox[1:-1] if len(mailbox) > 2 and mailbox[0] == mailbox[-1] == '"' else ""
    return inner if inner and _ATOMS.fullmatch(inner) else mailbox


def _folded(mailbox: str) -> str:
    """Return a mailbox without capital letters, and each letter with its accents in one way."""
    if mailbox.isascii():
        return mailbox.lower()
    for _ in range(3):
        mailbox = unicodedata.normalize("NFC", mailbox.casefold())
    return mailbox


def _ascii_domain(domain: str) -> str:
    """Return a domain as mail servers look it up, `xn--...` for other scripts; as it stands where it is no domain."""
    domain = domain.rstrip(".")
    if domain.isascii():
        return domain.lower()
    try:
        # Not the codec of Python, which is of 2003 and makes another domain of `straße.example`.
        return idna.encode(domain, uts46=True, std3_rules=True).decode().rstrip(".")
    except UnicodeError:
        return _folded(domain)


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
    return read_email(value).address


def read_email(value: object) -> ReadEmail:
    """Return the email address that a value is, as it is sent to, or why it is none.

    A name around it, the scheme of a link and quotes that it does not need are left out; a domain of another script is
    written as mail servers look it up. The mailbox stays as it is written, in whichever script.
    """
    text = _bare(value) if isinstance(value, str) else ""
    mailbox, _, domain = text.rpartition("@")
    mailbox, name = _unquoted(mailbox), domain.rstrip(".")
    trouble = _trouble(text, mailbox, name)
    if trouble:
        return ReadEmail("", trouble)
    address = f"{unicodedata.normalize('NFC', mailbox)}@{name if name.isascii() else _ascii_domain(name)}"
    return ReadEmail(address)


def _trouble(text: str, mailbox: str, domain: str) -> EmailTrouble:
    looked_up, size = _ascii_domain(domain), len(mailbox.encode(errors="replace"))
    is_quoted = mailbox.startswith('"') and mailbox.endswith('"') and "@" not in domain
    troubles = (
        (not mailbox or not domain, EmailTrouble.NO_ADDRESS),
        (is_quoted, EmailTrouble.QUOTED),
        (text.count("@") > 1 or "," in text or ";" in text, EmailTrouble.SEVERAL),
        (domain.startswith("[") or domain.rpartition(".")[2].isdigit(), EmailTrouble.IP_LITERAL),
        (not mailbox.isprintable() or not _ATOMS.fullmatch(mailbox), EmailTrouble.BAD_MAILBOX),
        (not _NAMES.fullmatch(looked_up), EmailTrouble.BAD_DOMAIN),
        (size > _MAILBOX_LENGTH or size + 1 + len(looked_up) > _EMAIL_LENGTH, EmailTrouble.TOO_LONG),
    )
    return next((trouble for is_so, trouble in troubles if is_so), EmailTrouble.NONE)


def phone_number(value: object) -> str:
    """Return a telephone number in the form of E.164, or ''; a page is not trusted to send a valid one.

    A number without its country code is not valid.
    """
    number = normalised(value) if isinstance(value, str) and len(value) <= _LONGEST_WRITTEN else ""
    return number if _DIALLED.fullmatch(number) else ""

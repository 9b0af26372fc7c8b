"""Cleans the facts of messages: what pages tell is text from strangers, whoever the message goes to.

A page may say anything, and names an address that we write to by our name. So nothing that it says becomes a link or a
picture of another host, steers how text is shown, or is longer than its place; a product that the shop's own server or
an import described is shown by these words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from trigger_worker.delivery.content.context import RenderContext
from trigger_worker.store.products import Product
from warehouse.addresses import email_address

T = TypeVar("T")

#: Return a product as the shop itself described it, by site and product id; None for one that it never did.
VerifiedProduct = Callable[[str, str], Product | None]

#: Most characters of the name of a product that only pages described, of another text, and of an address.
SHORT: Final = 80
LONG: Final = 200
LONGEST_ADDRESS: Final = 2_000
#: Deeper or wider facts are cut: no template shows them.
_DEEPEST: Final = 6
_WIDEST: Final = 100

#: Unicode categories of characters that are not read but steer: controls, formats (directions, widths of zero, tags),
#: surrogates, private ones, line and paragraph separators.
_UNREAD: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANKS: Final = re.compile(r"\s+")
#: Characters that look like, and are taken by browsers and mail programs for, those of an address.
_LOOKALIKES: Final = str.maketrans(
    {"\u3002": ".", "\uff0e": ".", "\uff61": ".", "\u2024": ".", "\ufe52": "."}
    | {"\uff1a": ":", "\uff0f": "/", "\uff3c": "\\", "\uff20": "@", "\ufe55": ":"}
)
_SCHEME: Final = re.compile(r"\b[a-z][a-z0-9+.-]{0,30}:[/\\]+", re.IGNORECASE)
_ACTING_SCHEME: Final = re.compile(
    r"\b(?:javascript|data|vbscript|mailto|tel|sms|smsto|file|blob|intent|market|whatsapp)\s*:", re.IGNORECASE
)
_SLASHES: Final = re.compile(r"[/\\]{2,}")
_AT: Final = re.compile(r"(?<=\S)@(?=\S)")
#: A dot as between the labels of a host: before at least two letters.
_HOST_DOT: Final = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2})")
_FOUR_NUMBERS: Final = re.compile(r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b")
#: Words and ids, one space between them, without any character that an address has: most facts, known at a glance.
_HARMLESS: Final = re.compile(r"(?:[A-Za-z0-9_,;!?'()+-]+(?: [A-Za-z0-9_,;!?'()+-]+)*)?")
#: Facts that are addresses of pages and pictures.
_ADDRESSES: Final = frozenset({"url", "image", "icon", "link", "href", "src", "referrer", "image_url", "imageUrl"})
#: Facts that stand in a line with others, and are short in earnest.
_SHORT: Final = frozenset({"name", "category", "first_name", "firstName", "last_name", "lastName", "brand", "variant"})


class FactCleaner:
    """Cleans the facts of a message.

    Args:
        hosts: by site, the hosts that links and pictures may lead to; `*.` before a host stands for any below it.
        verified: finds products that the shop itself described.
    """

    def __init__(self, hosts: Mapping[str, Iterable[str]], verified: VerifiedProduct = lambda _site, _id: None) -> None:
        self._hosts = {site: frozenset(map(_ascii_host, names)) for site, names in hosts.items()}
        self._verified = verified

    def context(self, context: RenderContext) -> RenderContext:
        """Return the facts of a message, cleaned."""
        site = context.site.name
        event = self.facts(site, context.event)
        # Usually the event tells of the product.
        product = event if context.product is context.event else self.facts(site, context.product)
        return msgspec.structs.replace(
            context,
            visitor=self._struct(site, context.visitor),
            cart=self._struct(site, context.cart),
            event=event,
            product=product,
            order=self.facts(site, context.order),
        )

    def facts(self, site: str, facts: Mapping[str, object]) -> dict[str, Any]:
        """Return facts by name, cleaned.

        Args:
            site: the site that they were told on.
            facts: plain data: texts, numbers, lists and mappings.
        """
        cleaned = self._clean(site, "", facts, 0)
        return cleaned if isinstance(cleaned, dict) else {}

    def _struct(self, site: str, value: T) -> T:
        return msgspec.convert(self.facts(site, msgspec.to_builtins(value)), type(value))

    def _clean(self, site: str, name: str, value: object, depth: int) -> object:
        if isinstance(value, str):
            return self._text(site, name, value)
        if isinstance(value, Mapping):
            return self._mapping(site, value, depth) if depth < _DEEPEST else {}
        if isinstance(value, list | tuple):
            return [self._clean(site, name, each, depth + 1) for each in value[:_WIDEST]] if depth < _DEEPEST else []
        return value

    def _mapping(self, site: str, facts: Mapping[Any, object], depth: int) -> dict[str, Any]:
        told = list(facts.items())[:_WIDEST]
        cleaned = {unlinked(str(name), SHORT): self._clean(site, str(name), value, depth + 1) for name, value in told}
        product_id = facts.get("product_id")
        product = self._verified(site, product_id) if isinstance(product_id, str) and product_id else None
        return cleaned if product is None else cleaned | self._described(site, product, is_line="quantity" in facts)

    def _described(self, site: str, product: Product, *, is_line: bool) -> dict[str, Any]:
        """Return what the shop itself says of a product; its links and pictures stay on its hosts as well.

        A line of a cart or an order keeps the price that it was told with.
        """
        words = {"name": plain(product.name, LONG), "category": plain(product.category, LONG)}
        places = {"image": self.address(site, product.image), "url": self.address(site, product.url)}
        offer = {"price": product.price, "sale_price": product.sale_price, "currency": product.currency}
        # Only a feed says what can be bought.
        said = {} if is_line or not product.availability else {**offer, "availability": product.availability}
        described = {name: value for name, value in (words | places | said).items() if value}
        return described | {"product_id": product.product_id}

    def _text(self, site: str, name: str, text: str) -> str:
        if name == "email":
            return email_address(plain(text, LONG))
        if name in _ADDRESSES or _is_address(text):
            return self.address(site, text)
        return unlinked(text, SHORT if name in _SHORT else LONG)

    def address(self, site: str, text: str) -> str:
        """Return an address that leads to the site, else ''.

        Args:
            site: the site.
            text: an address, in full or from the site's root on.
        """
        address = text.strip()
        if len(address) > LONGEST_ADDRESS or any(character in " \\" or _is_unread(character) for character in address):
            return ""
        if address.startswith("/"):
            return "" if address.startswith("//") else address
        return address if _host(address) and self._is_own(site, _host(address)) else ""

    def _is_own(self, site: str, host: str) -> bool:
        own = self._hosts.get(site, frozenset())
        parents = host.split(".")
        return host in own or any(f"*.{'.'.join(parents[place:])}" in own for place in range(1, len(parents)))


def plain(text: str, longest: int) -> str:
    """Return a text as one line of readable characters, cut with an ellipsis after `longest` of them."""
    readable = text[: 8 * longest]
    if not (readable.isascii() and readable.isprintable()):
        readable = "".join(" " if character.isspace() else character for character in readable)
        readable = "".join(each for each in readable if not _is_unread(each))
    line = _BLANKS.sub(" ", readable).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "\u2026"


def unlinked(text: str, longest: int) -> str:
    """Return a text as one line in which no program finds a link: `evil.example` becomes `evil. example`."""
    if len(text) <= longest and _HARMLESS.fullmatch(text):
        return text
    line = plain(text, longest).translate(_LOOKALIKES)
    line = _SLASHES.sub("/", _ACTING_SCHEME.sub("", _SCHEME.sub("", line)))
    line = _FOUR_NUMBERS.sub(r"\1. \2. \3. \4", _HOST_DOT.sub(". ", _AT.sub(" @ ", line)))
    return plain(line, longest)


def _is_unread(character: str) -> bool:
    return unicodedata.category(character) in _UNREAD


def _is_address(text: str) -> bool:
    """Tell whether a text is an address and nothing else."""
    if _HARMLESS.fullmatch(text):
        return False
    said = text.strip().translate(_LOOKALIKES)
    starts = said.startswith(("//", "\\\\")) or _SCHEME.match(said) or _ACTING_SCHEME.match(said)
    return bool(starts) and " " not in said


def _host(address: str) -> str:
    """Return the host of an http(s) address, as it is looked up; '' for any other, or one with a user or a bad port."""
    try:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or "@" in parts.netloc or (parts.port or 1) < 1:
            return ""
        return _ascii_host(parts.hostname or "")
    except ValueError:
        return ""


def _ascii_host(host: str) -> str:
    wild, name = ("*.", host[2:]) if host.startswith("*.") else ("", host)
    try:
        return wild + (name if name.isascii() else name.encode("idna").decode()).lower().rstrip(".")
    except UnicodeError:
        return ""

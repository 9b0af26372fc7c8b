"""The filters that templates have besides Jinja's own, and the formats of money and dates that they write.

A filter that is applied to a missing or malformed fact returns ''.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin, urlsplit

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, get_currency_precision
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from trigger_worker.rules.evaluate.calendar import local_time
from warehouse.time_reading import read_time
from warehouse.time_text import TimeTrouble

#: Instants that are formatted, in epoch ms: from 1900, as people are born, to 2400. Others come of wrong units.
_EARLIEST_MS: Final = -2_208_988_800_000
_LATEST_MS: Final = 13_569_465_600_000
_LARGEST_AMOUNT: Final = Decimal(10) ** 15
_ENGLISH: Final = Locale("en")
#: A language with an optional script and region; a page's text must not name any other file of locale data.
_TAG: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?(?:[-_].*)?", re.DOTALL)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NAMED_STYLES: Final = frozenset({"short", "medium", "long", "full"})


def fallback(value: object, otherwise: object = "") -> object:
    """Return `otherwise` where a value is missing, null or blank: the filter `default(x)`."""
    if isinstance(value, Undefined) or value is None or (isinstance(value, str) and not value.strip()):
        return otherwise
    return value


@pass_context
def money(context: Context, value: object, currency: object = "", locale: object = "") -> str:
    """Return an amount with its currency as the visitor's language writes it: `€1,234.50`, `1.234,50 €`.

    Args:
        context: the facts of the message.
        value: the amount, in whole units of the currency.
        currency: the ISO 4217 code; by default the site's.
        locale: a language tag such as `de-AT`; by default the visitor's.
    """
    amount = _decimal(value)
    if amount is None:
        return ""
    return money_text(amount, str(fallback(currency) or _fact(context, "site", "currency")), _locale(context, locale))


def quantity(value: object) -> str:
    """Return a number without needless decimals: `2`, `1.5`."""
    amount = _decimal(value)
    return "" if amount is None else f"{amount.normalize():f}"


@pass_context
def date(context: Context, value: object, style: str = "long", locale: object = "") -> str:
    """Return an instant in the visitor's time zone, or a day, as the visitor's language writes it.

    Args:
        context: the facts of the message.
        value: anything that `warehouse.time_reading` reads. A day, such as `2026-12-24`, is that day in every zone.
        style: `short`, `medium`, `long`, `full`, or a pattern of the CLDR such as `d MMMM, HH:mm`.
        locale: a language tag such as `de-AT`; by default the visitor's.
    """
    found = read_time(value)
    if isinstance(found, TimeTrouble) or not _EARLIEST_MS <= found.ms < _LATEST_MS:
        return ""
    moment = local_time(found.ms, "UTC" if found.kind == "day" else _fact(context, "visitor", "timezone"))
    return day_text(moment, style, _locale(context, locale))


@pass_context
def link(context: Context, value: object) -> str:
    """Return an address resolved against the site's; '' for one that is not http(s), such as `javascript:`."""
    address = str(fallback(value)).strip()
    try:
        return web_address(urljoin(_fact(context, "site", "url"), address)) if address else ""
    except ValueError:
        return ""


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "default": fallback,
    "d": fallback,
    "money": money,
    "quantity": quantity,
    "date": date,
    "link": link,
}


def web_address(url: str) -> str:
    """Return the address if it is an absolute http(s) one that a browser can follow, else ''.

    It has no control characters, a host, and no port or one that exists.
    """
    if any(character < " " or character == "\x7f" for character in url):
        return ""
    try:
        parts = urlsplit(url)
        is_possible = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and is_possible else ""


def page_address(url: str) -> str:
    """Return the address if a page may follow it, because it is http(s) or starts at the site's root, else ''."""
    starts_at_root = url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if starts_at_root else web_address(url)


@lru_cache(maxsize=1024)
def locale_of(tag: str) -> Locale:
    """Return the locale of a language tag such as `de-AT`.

    An unknown region leaves the locale of the language, an unknown language leaves English.

    Args:
        tag: a BCP 47 tag, untrusted where a page sent it.
    """
    match = _TAG.fullmatch(tag[:64])
    if match is None:
        return _ENGLISH
    language, script, region = match.groups()
    for wanted in ((language, script, region), (language, None, region), (language, None, None)):
        try:
            return Locale.parse("_".join(filter(None, wanted)))
        except (UnknownLocaleError, ValueError):
            continue
    return _ENGLISH


def money_text(amount: Decimal, currency: str, locale: Locale) -> str:
    """Return an amount of money as the locale writes it, with half cents rounded away from zero.

    Args:
        amount: in whole units of the currency.
        currency: the ISO 4217 code; any other text stands for no currency.
        locale: the locale.
    """
    code = currency.upper()
    if not _CURRENCY.fullmatch(code):
        return str(format_decimal(_rounded(amount, 2), "#,##0.00", locale=locale))
    return str(format_currency(_rounded(amount, get_currency_precision(code)), code, locale=locale))


def day_text(moment: datetime, style: str, locale: Locale) -> str:
    """Return the date of an instant, or with a pattern any part of it, as the locale writes it.

    Args:
        moment: the instant in the visitor's time zone.
        style: `short`, `medium`, `long`, `full`, or a pattern of the CLDR such as `d MMMM, HH:mm`.
        locale: the locale.
    """
    if style in _NAMED_STYLES:
        return str(format_date(moment, style, locale=locale))
    return str(format_datetime(moment, style, locale=locale))


def _fact(context: Context, group: str, name: str) -> str:
    """Return a text fact of a message, such as `currency` of `site`; '' where there is none."""
    facts = context.get(group)
    return str(fallback(facts.get(name))) if isinstance(facts, Mapping) else ""


def _locale(context: Context, chosen: object) -> Locale:
    return locale_of(str(fallback(chosen)) or _fact(context, "visitor", "locale"))


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < _LARGEST_AMOUNT else None


def _rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)

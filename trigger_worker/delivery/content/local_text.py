"""How a visitor's language writes amounts of money and days, as the Unicode CLDR knows it."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, get_currency_precision

_ENGLISH: Final = Locale("en")
#: Language, and perhaps script and region: what comes from a page names no file but one of these.
_TAG: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?(?:[-_].*)?", re.DOTALL)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_NAMED_STYLES: Final = frozenset({"short", "medium", "long", "full"})


@lru_cache(maxsize=1024)
def locale_of(tag: str) -> Locale:
    """Return the locale that a tag such as `de-AT` names, the language's own where the region is unknown, else English.

    Args:
        tag: BCP 47, from a page perhaps.
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
    """Return an amount in whole units of a currency as the locale writes it, half cents rounded away from zero.

    Args:
        currency: an ISO 4217 code; any other text stands for none.
    """
    code = currency.upper()
    if not _CURRENCY.fullmatch(code):
        return str(format_decimal(_rounded(amount, 2), "#,##0.00", locale=locale))
    return str(format_currency(_rounded(amount, get_currency_precision(code)), code, locale=locale))


def day_text(moment: datetime, style: str, locale: Locale) -> str:
    """Return a day, or with a pattern any part of an instant, as the locale writes it.

    Args:
        moment: on the visitor's own clock.
        style: `short`, `medium`, `long`, `full`, or a pattern of the CLDR such as `d MMMM, HH:mm`.
    """
    if style in _NAMED_STYLES:
        return str(format_date(moment, style, locale=locale))
    return str(format_datetime(moment, style, locale=locale))


def _rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)

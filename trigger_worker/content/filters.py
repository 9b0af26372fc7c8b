"""The filters that templates have besides Jinja's own; each of nothing gives nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final
from urllib.parse import urljoin, urlsplit

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from trigger_worker.evaluate.calendar import local_time

_SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "AUD": "A$", "CAD": "CA$"}
_WITHOUT_CENTS: Final = frozenset({"JPY", "KRW", "CLP", "VND", "ISK", "XAF", "XOF"})
#: The year 5138; calendars end soon after.
_LATEST_MS: Final = 10**14
_LARGEST_AMOUNT: Final = Decimal(10) ** 15


def fallback(value: object, otherwise: object = "") -> object:
    """`default(x)`: x where the value is missing, null or blank."""
    if isinstance(value, Undefined) or value is None or (isinstance(value, str) and not value.strip()):
        return otherwise
    return value


@pass_context
def money(context: Context, value: object, currency: object = "") -> str:
    """An amount with its currency, such as `€1,234.50`; without one named, the site's.

    Args:
        context: the facts of the message.
        value: the amount in whole units of the currency.
        currency: the ISO code; one without a symbol here stands after the amount.
    """
    amount = _decimal(value)
    if amount is None:
        return ""
    site = context.get("site")
    code = str(fallback(currency) or (site.get("currency", "") if isinstance(site, Mapping) else "")).upper()
    unit = Decimal(1) if code in _WITHOUT_CENTS else Decimal("0.01")
    text = f"{abs(amount).quantize(unit, ROUND_HALF_UP):,}"
    sign = "-" if amount < 0 else ""
    if code in _SYMBOLS:
        return f"{sign}{_SYMBOLS[code]}{text}"
    return f"{sign}{text} {code}".rstrip()


def quantity(value: object) -> str:
    """A number without needless decimals: `2`, `1.5`."""
    amount = _decimal(value)
    return "" if amount is None else f"{amount.normalize():f}"


@pass_context
def date(context: Context, value: object, pattern: str = "%d %B %Y") -> str:
    """An instant on the visitor's own calendar.

    Args:
        context: the facts of the message.
        value: milliseconds since 1970, or a text in ISO 8601.
        pattern: as `strftime` understands it.
    """
    moment_ms = _epoch_ms(value)
    if moment_ms is None:
        return ""
    visitor = context.get("visitor")
    zone_name = visitor.get("timezone", "") if isinstance(visitor, Mapping) else ""
    return local_time(moment_ms, zone_name).strftime(pattern)


@pass_context
def link(context: Context, value: object) -> str:
    """An absolute http(s) address, resolved against the site's; nothing for any other, such as `javascript:`."""
    site = context.get("site")
    base = str(site.get("url", "")) if isinstance(site, Mapping) else ""
    address = str(fallback(value)).strip()
    try:
        return web_address(urljoin(base, address)) if address else ""
    except ValueError:
        return ""


def web_address(url: str) -> str:
    """Gives the address back when it is an absolute http(s) one without control characters, else nothing."""
    if any(character < " " for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def page_address(url: str) -> str:
    """Gives the address back when a page may follow it: it is http(s), or starts at the site's root; else nothing."""
    starts_at_root = url.startswith("/") and not url.startswith(("//", "/\\"))
    return url if starts_at_root else web_address(url)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < _LARGEST_AMOUNT else None


def _epoch_ms(value: object) -> int | None:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value) if 0 <= value < _LATEST_MS else None
    except (ValueError, OverflowError):
        return None


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "default": fallback,
    "d": fallback,
    "money": money,
    "quantity": quantity,
    "date": date,
    "link": link,
}

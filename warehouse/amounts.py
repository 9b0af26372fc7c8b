"""Reads amounts as shops write them, and what an event of the shop is worth: the one meaning of `value`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from math import fsum, isfinite
from typing import Any, Final

#: The largest whole number up to which every other one is a float of its own.
LARGEST_EXACT: Final = 2**53
#: Beyond it, JavaScript writes a whole number with an exponent, and nobody an id.
_LARGEST_ID: Final = 10**21
#: The longest text in which more than plain digits is looked for.
_LONGEST: Final = 64
#: What may stand before or after a number: the sign of a currency, with letters as in `US$`, or its letters.
_CURRENCY: Final = r"(?:[A-Za-z]{0,3}\u00a4|[A-Z]{3}|[a-z]{3}|[Kk]r\.?|zł|Kč|Ft|Fr\.?|лв\.?|Rs?\.?)"
_WRITTEN: Final = re.compile(
    rf"(?P<sign>[-+])?\s*(?P<before>{_CURRENCY})?\s*(?P<inner>[-+])?\s*(?P<number>[.,]?[0-9][0-9.,' ]*?)(?:[.,]--?)?"
    rf"\s*(?P<after>{_CURRENCY})?"
)
#: All of an amount but its currency.
_NUMERIC: Final = re.compile(r"[\s\d.,'+\-\u2212\u2013\u2014\u2019\u02bc`]+")
_PARTS: Final = re.compile(r"[.,' ]")
#: Digits between two separators of thousands.
_GROUP: Final = 3
#: Characters that stand for another, beside signs of currencies and blanks.
_SAME: Final = {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u2019": "'", "\u02bc": "'", "`": "'"}


def read_number(value: object) -> float | None:
    """Return the number that a value stands for, None when it is none or may be one of two.

    A text may have blanks around it and the sign or the code of a currency. A point is a decimal point, and a comma
    with other than three digits behind it is one, too. Separators of thousands are read where they can be nothing else:
    `1,299.00`, `1.299,00`, `1 299,00`, `1,299,000`; `1,299` and `€ 1.299` may be either, and are none.
    """
    if type(value) is float:
        return value if isfinite(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and "_" in value:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    except ValueError:
        return _read_written(str(value)) if len(str(value)) <= _LONGEST else None
    return number if isfinite(number) else None


def currency_of(value: object) -> str:
    """Return what says of an amount itself in which currency it is, such as `CHF` of `1'299.50 CHF`; '' for nothing.

    Args:
        value: an amount that `read_number` reads, or an object of amount and currency, as Shopify writes them.
    """
    if isinstance(value, dict):
        named = (value.get(name) for name in ("currency", "currencyCode", "currency_code"))
        return next((each for each in named if isinstance(each, str) and each), "")
    if not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return _NUMERIC.sub("", value)
    return ""


def _read_written(text: str) -> float | None:
    found = _WRITTEN.fullmatch("".join(map(_plain, text)).strip())
    if found is None or (found["before"] and found["after"]) or (found["sign"] and found["inner"]):
        return None
    number = _unsigned(found["number"].strip(), has_currency=bool(found["before"] or found["after"]))
    return -number if number is not None and "-" in (found["sign"], found["inner"]) else number


def _plain(character: str) -> str:
    """Return a character as it is looked for: one sign for all currencies, one minus, one blank, one apostrophe."""
    same = _SAME.get(character)
    return same or {"Sc": "\u00a4", "Zs": " "}.get(unicodedata.category(character), character)


def _unsigned(text: str, *, has_currency: bool) -> float | None:
    parts, marks = _PARTS.split(text), _PARTS.findall(text)
    match list(dict.fromkeys(marks)):
        case []:
            return float(text)
        case ["." | "," as mark] if len(marks) == 1:
            return _with_one_mark(parts[0], mark, parts[1], has_currency=has_currency)
        case [_]:
            return float("".join(parts)) if _are_groups(parts, is_short=marks[0] == ",") else None
        case [group, "." | "," as point] if marks.count(point) == 1 and marks[-1] == point and parts[-1]:
            return (
                float(f"{''.join(parts[:-1])}.{parts[-1]}") if _are_groups(parts[:-1], is_short=group == ",") else None
            )
    return None


def _with_one_mark(whole: str, mark: str, part: str, *, has_currency: bool) -> float | None:
    is_decimal = len(part) != _GROUP or len(whole) > _GROUP or whole in {"", "0"} or (mark == "." and not has_currency)
    return float(f"{whole or 0}.{part}") if is_decimal and part else None


def _are_groups(parts: Sequence[str], *, is_short: bool) -> bool:
    """Tell whether digits stand in groups of thousands, or in India's, of which all but the last have two."""
    first, *others = parts
    if not others or not 1 <= len(first) <= _GROUP or len(others[-1]) != _GROUP:
        return False
    sizes = {len(each) for each in others[:-1]}
    return sizes <= {_GROUP} or (is_short and sizes <= {_GROUP - 1} and len(first) < _GROUP)


def exact_id(number: float) -> str:
    """Return all digits of a whole number that has more of them than a float holds, '' for any other number.

    Such a number is an id: JSON's readers round it, each in its own way, and its text is the same everywhere.
    """
    if -LARGEST_EXACT <= number <= LARGEST_EXACT:
        return ""
    if isinstance(number, int):
        return str(number)
    # Beyond `LARGEST_EXACT` every float is a whole number.
    return str(int(number)) if abs(number) < _LARGEST_ID else ""


def worth_of(fields: Mapping[str, Any], price: float | None = None) -> float | None:
    """Return what an event about products is worth: its value, else the sum of its items, else price times quantity.

    None where it tells no price. An item without a quantity is one, and one whose price cannot be read adds nothing.

    Args:
        fields: of the event.
        price: what the event's own product costs where the event does not say it.
    """
    value = read_number(fields.get("value"))
    if value is not None:
        return value
    items = fields.get("items")
    if isinstance(items, list) and items:
        amounts = [line_worth(item) for item in items if isinstance(item, Mapping)]
        known = [amount for amount in amounts if amount is not None]
        if known:
            return finite_sum(known)
    return line_worth(fields, price)


def line_worth(item: Mapping[str, Any], price: float | None = None) -> float | None:
    """Return price times quantity, None without a price.

    Args:
        item: one product with its `price` and `quantity`.
        price: what the product costs where the item does not say it.
    """
    stated = read_number(item.get("price"))
    price = price if stated is None else stated
    return None if price is None else _finite(price * pieces_of(item))


def pieces_of(item: Mapping[str, Any]) -> float:
    """Return the quantity of one product, one where it is not told."""
    quantity = read_number(item.get("quantity"))
    return 1.0 if quantity is None else quantity


def finite_sum(amounts: Sequence[float]) -> float | None:
    """Return the exactly rounded sum of amounts; None when it is too large."""
    try:
        return fsum(amounts)
    except OverflowError:
        return None


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None

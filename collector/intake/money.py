"""The step that gives money its currency: a code of ISO 4217, and the site's own where the site has a rate.

Money is converted here, once, and not when it is read: a rate is of its day, and rules, carts, sums, reports and SQL
are to see one figure, which stays what it was when the rate changes.
"""

from __future__ import annotations

from typing import Any, Final

from collector.intake.draft import Draft, WarningReason, short_text
from warehouse.amounts import read_number
from warehouse.currencies import CURRENCIES, currency_code

#: Digits behind the point that a converted amount keeps: more than any currency has.
_DIGITS: Final = 4
_UNKNOWN: Final = "currency is no code of ISO 4217 such as EUR: its money is kept apart from any other"
_NO_RATE: Final = "money is kept in {}, apart from the site's {}: no rate in [sites.{}.rates]"


def settle_money(draft: Draft) -> None:
    """Spell an event's currency as its code, and convert its money to the site's currency where there is a rate."""
    columns = draft.columns
    if "foreign_currency" in columns:
        # Said here and nowhere else.
        del columns["foreign_currency"]
    if "currency" in columns:
        stated = columns["currency"]
        # Nearly all of them: a code, at a site that reckons in it or in none.
        if stated not in CURRENCIES or draft.site.currency not in {"", stated}:
            _settle_stated(draft, stated)
        elif draft.site.currency and "items" in draft.props:
            _settle_items(draft, stated)
    # A refund without a currency is in that of its order, which is not known here.
    elif draft.site.currency and _has_money(draft) and columns["event"] != "refund":
        columns["currency"] = draft.site.currency
        _settle_items(draft, draft.site.currency)


def _settle_stated(draft: Draft, stated: str) -> None:
    columns, home = draft.columns, draft.site.currency
    code = currency_code(stated, home)
    if not code:
        columns["currency"] = stated.upper()
        if home:
            columns["foreign_currency"] = columns["currency"]
        draft.warn(WarningReason.CURRENCY_UNKNOWN, _UNKNOWN)
        return
    columns["currency"] = code
    if not home or not _has_money(draft):
        return
    rate = draft.site.rate(code)
    if rate is None:
        columns["foreign_currency"] = code
        draft.warn(WarningReason.CURRENCY_WITHOUT_RATE, _NO_RATE.format(code, home, draft.site.name))
        return
    if code != home:
        _convert(draft, rate, code)
    _settle_items(draft, code)


def _has_money(draft: Draft) -> bool:
    columns = draft.columns
    return "value" in columns or "price" in columns or "items" in draft.props


def _convert(draft: Draft, rate: float, code: str) -> None:
    """Convert the event's own amounts, and keep what they were."""
    columns, kept = draft.columns, {"original_currency": code}
    originals: dict[str, Any] = {}
    for name in ("value", "price"):
        amount = columns.get(name)
        if amount is not None:
            originals[f"original_{name}"] = amount
            columns[name] = _at_rate(amount, rate)
    columns["currency"] = draft.site.currency
    draft.props = {**draft.props, **originals, **kept}


def _settle_items(draft: Draft, code: str) -> None:
    """Convert the prices of items, each in its own currency or else in the event's, where there is a rate."""
    items = draft.props.get("items")
    if not isinstance(items, list):
        return
    settled = [_settled(draft, item, code) if isinstance(item, dict) else item for item in items]
    if any(old is not new for old, new in zip(items, settled, strict=True)):
        draft.props = {**draft.props, "items": settled}


def _settled(draft: Draft, item: dict[str, Any], code: str) -> dict[str, Any]:
    home = draft.site.currency
    own = currency_code(short_text(item.get("currency")), home) if "currency" in item else code
    rate = draft.site.rate(own) if own and own != home else None
    amounts = {name: amount for name in ("price", "value") if (amount := read_number(item.get(name))) is not None}
    if rate is None or not amounts:
        return item
    originals = {f"original_{name}": item[name] for name in amounts}
    converted = {name: _at_rate(amount, rate) for name, amount in amounts.items()}
    return {**item, **originals, **converted, "currency": home, "original_currency": own}


def _at_rate(amount: float, rate: float) -> float:
    return round(amount * rate, _DIGITS)

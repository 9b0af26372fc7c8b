"""Says what the columns of a table mean: by a mapping that the operator wrote, and by the names that are known."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import yaml

from collector.intake.draft import Message
from warehouse.errors import ConfigurationError
from warehouse.vocabulary import COLUMN_FIELDS

#: Where a value goes in a message: `("userId",)`, `("properties", "price")`, `("items", "price")`.
Target = tuple[str, ...]

_MESSAGE_FIELDS: Final = frozenset(
    {"type", "event", "messageId", "anonymousId", "userId", "previousId", "groupId", "timestamp"}
)
_SECTIONS: Final = frozenset({"properties", "traits", "context", "items"})
#: What a column is left out by.
IGNORED: Final[Target] = ()
_NUMBERS: Final = frozenset(name for name, kind in COLUMN_FIELDS.items() if kind == "number")

#: Names of columns that are known, without case and anything but letters and digits, by what they mean.
KNOWN_NAMES: Final[Mapping[str, str]] = {
    name: target
    for target, names in {
        "event": "event eventname eventtype action activity",
        "messageId": "messageid eventid eventuuid uuid insertid",
        "timestamp": "timestamp time datetime date ts eventtime eventtimestamp eventdate occurredat createdat"
        " transactiontimestamp transactiondate orderdate orderedat purchasedate invoicedate",
        "userId": "userid user customerid customer customerno customernumber customerkey memberid householdid",
        "anonymousId": "anonymousid visitorid visitor clientid deviceid cookieid distinctid userpseudoid",
        "properties.order_id": "orderid order orderno ordernumber ordername transactionid invoice invoiceno"
        " invoicenumber basketid receiptid",
        "properties.product_id": "productid product itemid item sku articleid articleno stockcode variantid",
        "properties.name": "productname itemname productname title description",
        "properties.category": "category productcategory itemcategory",
        "properties.price": "price unitprice itemprice",
        "properties.quantity": "quantity qty amountofitems count pieces",
        "properties.value": "value total totalprice ordertotal ordervalue revenue amount salesvalue sales",
        "properties.currency": "currency currencycode",
        "properties.coupon": "coupon couponcode discountcode",
        "properties.search_term": "searchterm query",
        "properties.url": "url pageurl pagelocation",
        "properties.path": "path pagepath",
    }.items()
    for name in names.split()
}
#: Columns of people, which are known where a table tells of nothing else.
_KNOWN_TRAITS: Final[Mapping[str, str]] = {
    "email": "email",
    "emailaddress": "email",
    "mail": "email",
    "phone": "phone",
    "phonenumber": "phone",
    "firstname": "first_name",
    "lastname": "last_name",
    "name": "name",
}
#: Fields of an order's line, which belong to its item when the table has a line for each product.
_ITEM_FIELDS: Final = frozenset({"product_id", "name", "category", "price", "quantity"})


class TableMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator says of a table.

    Args:
        columns: by name of a column, what it means, such as `userId` or `properties.price`; `ignore` leaves it out.
        constants: the same for values that no column has.
        events: by value of the column `event`, our name.
        delimiter: between two values; found out where it is missing.
        quote: around values that hold a delimiter.
        decimal: the sign before decimal places; found out where it is missing.
        time_format: how times are written, in the notation of `strptime`.
        timezone: the IANA zone of times that name none.
        one_event_by: consecutive rows with the same value of this column are one event, whose items they are.
    """

    columns: dict[str, str | None] = {}
    constants: dict[str, Any] = {}
    events: dict[str, str] = {}
    delimiter: str = ""
    quote: str = '"'
    decimal: Literal["", ".", ","] = ""
    time_format: str = ""
    timezone: str = ""
    one_event_by: str = ""


class Columns(msgspec.Struct, frozen=True):
    """What the columns of one table mean.

    Args:
        names: as the header has them.
        targets: where the value of each goes, `IGNORED` for nowhere.
        constants: values that every row has.
        group: the place of the column of `one_event_by`, None where each row is an event.
    """

    names: tuple[str, ...]
    targets: tuple[Target, ...]
    constants: tuple[tuple[Target, Any], ...]
    group: int | None = None

    def described(self) -> str:
        """Return what each column was taken for, in one line."""
        told = (
            f"{name} -> {'.'.join(target) or 'ignored'}" for name, target in zip(self.names, self.targets, strict=True)
        )
        constants = (f"{'.'.join(target)} = {value}" for target, value in self.constants)
        return ", ".join((*told, *constants))


def read_mapping(path: Path) -> TableMapping:
    """Return the mapping of a file, YAML or TOML by its ending.

    Raises:
        ConfigurationError: it cannot be read, or says something else than a mapping may.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
        return msgspec.convert(content or {}, TableMapping)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{path}: {reason}", "docs/senders.md shows what a mapping may say") from error


def is_number(target: Target) -> bool:
    """Tell whether a value is read as a number."""
    return len(target) == 2 and target[0] in {"properties", "items"} and target[1] in _NUMBERS


def find_columns(header: Sequence[str], mapping: TableMapping, place: str) -> Columns:
    """Return what the columns of a table mean.

    Args:
        header: the names of its columns.
        mapping: what the operator says of them.
        place: the file, for errors.

    Raises:
        ConfigurationError: the mapping names columns that are not there, or nothing says who, when or what.
    """
    names = tuple(header)
    _require_named(names, (*mapping.columns, *filter(None, [mapping.one_event_by])), place)
    constants = {_target(name, place): value for name, value in mapping.constants.items()}
    said = {name: _target(target or "ignore", place) for name, target in mapping.columns.items()}
    taken = set(said.values()) | constants.keys()
    guessed = _guessed([name for name in names if name not in said], taken)
    targets = {**guessed, **said}
    order_lines = mapping.one_event_by or any(target[:1] == ("items",) for target in targets.values())
    kind = _kind(targets, constants)
    constants = {**kind, **constants}
    if kind.get(("event",)) == "purchase" or order_lines:
        targets = {name: _of_item(target) if name not in said else target for name, target in targets.items()}
    by = mapping.one_event_by or (_order_column(targets) if _has_items(targets) else "")
    found = Columns(
        names, tuple(targets[name] for name in names), tuple(constants.items()), names.index(by) if by else None
    )
    _require_event(found, place)
    return found


def _guessed(names: Sequence[str], taken: set[Target]) -> dict[str, Target]:
    found: dict[str, Target] = {}
    for name in names:
        known = KNOWN_NAMES.get(re.sub(r"[^a-z0-9]", "", name.lower()))
        target = tuple(known.split(".")) if known else ("properties", name)
        if target in taken:
            target = ("properties", name)
        taken.add(target)
        found[name] = target
    return found


def _kind(targets: dict[str, Target], constants: Mapping[Target, Any]) -> dict[Target, Any]:
    """Return what the rows of a table without a column for it tell of: orders, or people, as far as that is plain.

    The columns of people become their traits.
    """
    known = {*targets.values(), *constants}
    if known & {("event",), ("type",)}:
        return {}
    if ("properties", "order_id") in known and ("properties", "product_id") in known | {("items", "product_id")}:
        return {("event",): "purchase"}
    traits = {name: _KNOWN_TRAITS.get(re.sub(r"[^a-z]", "", name.lower())) for name in targets}
    if "email" not in traits.values() and "phone" not in traits.values():
        return {}
    for name, trait in traits.items():
        if targets[name][0] == "properties":
            targets[name] = ("traits", trait or targets[name][1])
    return {("type",): "identify"}


def _of_item(target: Target) -> Target:
    return ("items", target[1]) if target[0] == "properties" and target[1] in _ITEM_FIELDS else target


def _has_items(targets: Mapping[str, Target]) -> bool:
    return any(target[:1] == ("items",) for target in targets.values())


def _order_column(targets: Mapping[str, Target]) -> str:
    return next((name for name, target in targets.items() if target == ("properties", "order_id")), "")


def _target(text: str, place: str) -> Target:
    if text == "ignore":
        return IGNORED
    first, *others = text.split(".")
    first = _CAMEL.get(first, first)
    if not others and first in _MESSAGE_FIELDS:
        return (first,)
    if first in _SECTIONS and others and all(others) and (first == "context" or len(others) == 1):
        return (first, *others)
    if not others and first and first not in _SECTIONS:
        return ("properties", text)
    expected = ", ".join(sorted(_MESSAGE_FIELDS))
    raise ConfigurationError(
        f"{place}: the mapping names {text!r}, which is no part of an event",
        f"name one of {expected}, or properties.NAME, traits.NAME, context.NAME, items.NAME, or ignore",
    )


_CAMEL: Final = {
    name: camel
    for name, camel in zip(Message.__struct_fields__, Message.__struct_encode_fields__, strict=True)
    if camel in _MESSAGE_FIELDS
}


def _require_named(header: Sequence[str], names: Sequence[str], place: str) -> None:
    missing = [name for name in names if name not in header]
    if missing:
        raise ConfigurationError(
            f"{place}: the mapping names columns that are not there: {', '.join(missing)}\n"
            f"  the header is: {', '.join(header)}",
            "write the names as the header has them, capital letters included",
        )


def _require_event(columns: Columns, place: str) -> None:
    known = {*columns.targets, *(target for target, _ in columns.constants)}
    needed = {
        "who it was (userId or anonymousId)": {("userId",), ("anonymousId",)},
        "when it happened (timestamp)": {("timestamp",)},
        "what happened (event)": {("event",), ("type",)},
    }
    missing = [text for text, targets in needed.items() if not known & targets]
    if not missing:
        return
    raise ConfigurationError(
        f"{place}: no column tells {', '.join(missing)}\n  the header is: {', '.join(columns.names)}",
        f"write a file such as mapping.yaml, and give --mapping mapping.yaml:\n{_example(columns)}",
    )


def _example(columns: Columns) -> str:
    known = {*columns.targets, *(target for target, _ in columns.constants)}
    lines = ["    columns:"]
    if not known & {("userId",), ("anonymousId",)}:
        lines.append("      COLUMN OF WHO IT WAS: userId")
    if ("timestamp",) not in known:
        lines.append("      COLUMN OF THE TIME: timestamp")
    return "\n".join([*lines, "    constants:", "      event: purchase"])

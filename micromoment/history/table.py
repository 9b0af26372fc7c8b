"""Reads the rows of a table, CSV or TSV, as messages."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from micromoment.history.lines import MAX_LINE_BYTES, NoteLine
from micromoment.history.mapping import IGNORED, Columns, TableMapping, Target, find_columns, is_number
from warehouse.errors import ConfigurationError
from warehouse.time_reading import read_time
from warehouse.time_text import TimeTrouble

#: What may stand between two values, in the order in which it is tried.
_DELIMITERS: Final = (";", "\t", ",", "|")
#: Excel's first line, such as `sep=;`.
_SEP_LINE: Final = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_DECIMAL_COMMA: Final = re.compile(r"-?(?:\d+|\d{1,3}(?:\.\d{3})+),\d{1,2}")
_NOT_OF_A_NUMBER: Final = re.compile(r"[\s\u00a0'’$€£¥%]")
_GROUPED: Final = {",": re.compile(r"-?\d{1,3}(?:\.\d{3})+"), ".": re.compile(r"-?\d{1,3}(?:,\d{3})+")}
#: The most rows of one event; further ones are an event of their own.
MAX_TOGETHER: Final = 5000
_encode: Final = msgspec.json.Encoder().encode
Row = tuple[int, list[str]]


class TableRows:
    """The rows of a table below its header.

    Args:
        lines: the lines of the file, numbered.
        delimiter: as the operator says it; '' to find it out.
        quote: around values that hold a delimiter.
        note: called for rows that cannot be read.
        place: the file, for errors.

    Raises:
        ConfigurationError: the delimiter or the quotation mark is no single character.
    """

    def __init__(
        self, lines: Iterable[tuple[int, bytes]], delimiter: str, quote: str, note: NoteLine, place: str
    ) -> None:
        self._lines = iter(lines)
        self._note = note
        self._number = 0
        csv.field_size_limit(MAX_LINE_BYTES)
        first = self._next_line()
        excel = _SEP_LINE.fullmatch(first)
        if excel:
            first = self._next_line()
        self.delimiter = delimiter or (excel[1] if excel else _delimiter_of(first))
        try:
            self._reader = csv.reader(self._texts(first), delimiter=self.delimiter, quotechar=quote or None)
        except TypeError as error:
            raise ConfigurationError(f"{place}: {error}", "give one character as delimiter and as quote") from error
        self.header = [name.strip() for name in next(self, (0, []))[1]]

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        """Return the next row that is not blank, with the number of its first line."""
        while True:
            begin = self._number + 1
            try:
                row = next(self._reader)
            except csv.Error as error:
                self._note(begin, "malformed", f"{error}, up to line {self._number}: is a quotation mark left open?")
                continue
            if any(map(str.strip, row)):
                return begin, row

    def _next_line(self) -> str:
        return next(self._texts(None), "")

    def _texts(self, first: str | None) -> Iterator[str]:
        if first is not None:
            yield first
        for number, line in self._lines:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self._note(number, "malformed", "it is no UTF-8: say how it is encoded, as --encoding windows-1252")
                continue
            self._number = number
            yield f"{text}\n"


def _delimiter_of(header: str) -> str:
    outside = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=outside.count) if any(map(outside.count, _DELIMITERS)) else ","


class Table:
    """The events of a table.

    Args:
        rows: its rows.
        mapping: what the operator says of it.
        note: called for rows that are none.
        place: the file, for errors.

    Raises:
        ConfigurationError: nothing says who, when or what; or the mapping names what is not there.
    """

    def __init__(self, rows: TableRows, mapping: TableMapping, note: NoteLine, place: str) -> None:
        self.columns: Final[Columns] = find_columns(rows.header, mapping, place)
        self._rows = rows
        self._note = note
        self._events = mapping.events
        self._time_format = mapping.time_format
        self._zone = _zone(mapping.timezone, place)
        self._sample = [row for row, _ in zip(rows, range(200), strict=False)]
        self.decimal = mapping.decimal or self._decimal()
        self._takers = [self._taker(target) for target in self.columns.targets]

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Yield each event as a message, with the number of its first line."""
        group = self.columns.group
        together: list[list[str]] = []
        begin = 0
        for number, row in self._fitting():
            is_same = group is not None and together and row[group] and row[group] == together[0][group]
            if together and not (is_same and len(together) < MAX_TOGETHER):
                yield begin, _encode(self._message(together))
                together = []
            begin = begin if together else number
            together.append(row)
        if together:
            yield begin, _encode(self._message(together))

    def _fitting(self) -> Iterator[Row]:
        width = len(self.columns.names)
        sample, self._sample = self._sample, []
        for rows in (sample, self._rows):
            for number, row in rows:
                if len(row) > width and any(row[width:]):
                    self._note(number, "malformed", f"{len(row)} values, where the header names {width} columns")
                    continue
                yield number, row + [""] * (width - len(row))

    def _message(self, rows: Sequence[list[str]]) -> dict[str, Any]:
        message: dict[str, Any] = {}
        items: list[dict[str, Any]] = []
        for row in rows:
            item: dict[str, Any] = {}
            for target, taker, text in zip(self.columns.targets, self._takers, row, strict=True):
                if not text or target is IGNORED:
                    continue
                if target[0] == "items":
                    item[target[1]] = taker(text)
                elif row is rows[0]:
                    _put(message, target, taker(text))
            if item:
                items.append(item)
        for target, value in self.columns.constants:
            _put(message, target, value, over=False)
        message.setdefault("type", "track")
        if items:
            _put(message, ("properties", "items"), items)
            _put(message, ("properties", "value"), _sum(items), over=False)
        return message

    def _taker(self, target: Target) -> Callable[[str], Any]:
        """Return how the values of a column are read."""
        if target == ("timestamp",):
            return self._time
        if target == ("event",):
            return lambda text: self._events.get(text.strip(), text.strip())
        return self._number if is_number(target) else str.strip

    def _number(self, text: str) -> float | str:
        """Return a number however it is written; text that is none stays what it is."""
        plain = _NOT_OF_A_NUMBER.sub("", text)
        thousands = "." if self.decimal == "," else ","
        if _GROUPED[self.decimal].fullmatch(plain.partition(self.decimal)[0]):
            plain = plain.replace(thousands, "")
        try:
            return float(plain.replace(",", ".") if self.decimal == "," else plain)
        except ValueError:
            return text.strip()

    def _decimal(self) -> str:
        """Return the sign before decimal places: a comma where one of the first rows has a number like `12,50`."""
        places = [place for place, target in enumerate(self.columns.targets) if is_number(target)]
        seen = (_NOT_OF_A_NUMBER.sub("", row[place]) for _, row in self._sample for place in places if place < len(row))
        return "," if any(_DECIMAL_COMMA.fullmatch(text) for text in seen) else "."

    def _time(self, text: str) -> str:
        text = text.strip()
        if not self._time_format and self._zone is None:
            return text
        moment = self._formatted(text) if self._time_format else _on_a_wall(text)
        if moment is None:
            return text
        return (moment if moment.tzinfo or self._zone is None else moment.replace(tzinfo=self._zone)).isoformat()

    def _formatted(self, text: str) -> datetime | None:
        try:
            return datetime.strptime(text, self._time_format)  # noqa: DTZ007 - the zone follows
        except ValueError:
            return None


def _on_a_wall(text: str) -> datetime | None:
    """Return what a text says of a day or a clock without a zone; None where it says a zone, or no time."""
    found = read_time(text)
    if isinstance(found, TimeTrouble) or found.kind == "instant":
        return None
    return datetime.fromtimestamp(found.ms / 1000, UTC).replace(tzinfo=None)


def _sum(items: Iterable[Mapping[str, Any]]) -> float | None:
    """Return what items are worth together, None where one does not say it."""
    total = 0.0
    for item in items:
        price, quantity = item.get("price"), item.get("quantity", 1.0)
        value = price * quantity if isinstance(price, float) and isinstance(quantity, float) else None
        value = item.get("value", value)
        if not isinstance(value, float):
            return None
        total += value
    return round(total, 6)


def _put(message: dict[str, Any], target: Target, value: Any, *, over: bool = True) -> None:  # noqa: ANN401 - any JSON
    *sections, name = target
    for section in sections:
        message = message.setdefault(section, {})
    if over or name not in message:
        message[name] = value


def _zone(name: str, place: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(f"{place}: the mapping names no zone: {name!r}", "write Europe/Berlin, say") from error

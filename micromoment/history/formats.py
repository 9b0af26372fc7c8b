"""Finds out what a file holds, by its content, and reads it so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, Literal

import msgspec

from collector.intake.draft import DropReason
from collector.intake.mending import mend
from micromoment.history.ga4 import ga4_message, is_ga4
from micromoment.history.lines import MAX_LINE_BYTES, FileText, NoteLine
from micromoment.history.mapping import TableMapping
from micromoment.history.packed import Unpacked
from micromoment.history.posthog_rows import is_posthog, posthog_messages
from micromoment.history.report import ImportReport
from micromoment.history.suppressions import SuppressionList, is_suppression_list
from micromoment.history.table import Table, TableRows
from micromoment.history.values import json_values
from warehouse.errors import ConfigurationError

FormatName = Literal["auto", "segment", "ga4", "posthog", "csv", "klaviyo", "mailchimp"]
#: Lines with their numbers, each a message of the tracking API as JSON.
Messages = Iterator[tuple[int, bytes]]
_VENDORS: Final = ("klaviyo", "mailchimp")
#: What is no text, by its first bytes, and what to do about it.
_BINARIES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"PK\x03\x04", "a ZIP archive, or a workbook of Excel", "unpack it, or save the sheet as CSV"),
    (b"PK\x05\x06", "a ZIP archive without files", "export the file again"),
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel", "save the sheet as CSV"),
    (b"PAR1", "a Parquet file", "export JSON lines or CSV instead"),
    (b"Obj\x01", "an Avro file", "export JSON lines or CSV instead"),
    (b"ORC", "an ORC file", "export JSON lines or CSV instead"),
    (b"SQLite format 3", "a database of SQLite", "export a table as CSV"),
    (b"%PDF", "a PDF document", "export JSON lines or CSV instead"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it"),
)
#: A body of the tracking API or of PostHog, whose messages lie in an array.
_ENVELOPE: Final = re.compile(
    rb'\s*\{(?:\s*"[^"]*"\s*:\s*(?:"[^"]*"|[\d.eE+-]+|true|false|null)\s*,)*\s*"(?:batch|events|data|results|rows)"\s*:\s*(?=\[)'
)
_LINES_TRIED: Final = 20
_encode: Final = msgspec.json.Encoder().encode


class Asked(msgspec.Struct, frozen=True):
    """What the operator says of a file.

    Args:
        format: what it holds; `auto` to find out.
        mapping: what the columns of a table mean.
        encoding: of its text; '' to find out.
    """

    format: FormatName = "auto"
    mapping: TableMapping | None = None
    encoding: str = ""


class ImportCircumstances(msgspec.Struct, frozen=True):
    """What an import is about.

    Args:
        report: notes lines that cannot be used as they stand.
        now_ms: its time, epoch ms.
        sets_apart: whether the site sets browsers apart that prove nothing.
    """

    report: ImportReport
    now_ms: int
    sets_apart: bool


class Found(msgspec.Struct, frozen=True):
    """What a file holds.

    Args:
        described: in words, for the operator.
        messages: its events, where it holds events.
        suppressions: its addresses, where it holds a list of those that get no more mail.
    """

    described: str
    messages: Messages | None = None
    suppressions: SuppressionList | None = None


def find_format(unpacked: Unpacked, text: FileText, asked: Asked, importing: ImportCircumstances, place: str) -> Found:
    """Return what a file holds.

    Args:
        unpacked: how it is packed.
        text: its text.
        asked: what the operator says of it.
        importing: what the import is about.
        place: the file, for errors.

    Raises:
        ConfigurationError: it holds nothing that can be imported; the error says what it seems to be.
    """
    refuse_binary(text.head, place)
    packed = [unpacked.packing.name] if unpacked.packing else []
    encoded = [text.encoding] if text.encoding != "utf-8" else []
    layout = _layout(text.head)
    if layout == "table" and asked.format in {"auto", "csv", *_VENDORS}:
        found = _find_table(text, asked, importing.report.note, place)
    else:
        found = _find_json(text, asked, layout, importing, place)
    return msgspec.structs.replace(found, described="; ".join([found.described, *packed, *encoded]))


def refuse_binary(head: bytes, place: str) -> None:
    """Refuse a file that is no table and no JSON, by its beginning.

    Raises:
        ConfigurationError: says what it seems to be, and what to do.
    """
    for magic, what, remedy in _BINARIES:
        if head.startswith(magic):
            raise ConfigurationError(f"{place} is {what}", remedy)
    if head[257:262] == b"ustar":
        raise ConfigurationError(f"{place} is a tar archive", "unpack it, and import the files in it")
    if b"\0" in head:
        raise ConfigurationError(f"{place} is no text", "export JSON lines or CSV; --encoding says how text is encoded")
    beginning = head[:1000].lstrip().lower()
    if beginning.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        remedy = "a server seems to have answered with a page, such as one to log in; get the file again"
        raise ConfigurationError(f"{place} is an HTML page", remedy)
    if beginning.startswith(b"<"):
        raise ConfigurationError(f"{place} is XML", "export JSON lines or CSV instead")


def _layout(head: bytes) -> Literal["lines", "values", "table"]:
    """Return how the text of a file is laid out: JSON by the line, JSON over several lines, or a table."""
    lines = [line.strip() for line in head[: 2 * MAX_LINE_BYTES].splitlines()]
    lines = [line for line in lines if line][:_LINES_TRIED]
    first = lines[0] if lines else b"{}"
    if first[:1] == b"[" or _ENVELOPE.match(head):
        return "values"
    if any(_object(line) is not None for line in lines):
        return "lines"
    return "values" if first[:1] == b"{" else "table"


def _object(line: bytes) -> Mapping[str, Any] | None:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _find_table(text: FileText, asked: Asked, note: NoteLine, place: str) -> Found:
    mapping = asked.mapping or TableMapping()
    rows = TableRows(text.lines(note), mapping.delimiter, mapping.quote, note, place)
    named = {"\t": "tabs"}.get(rows.delimiter, f"`{rows.delimiter}`")
    is_list = asked.format == "auto" and asked.mapping is None and is_suppression_list(rows.header)
    if asked.format in _VENDORS or is_list:
        listed = SuppressionList(rows, place)
        return Found(f"a list of addresses that get no more mail, by {named}: {listed.described()}", None, listed)
    table = Table(rows, mapping, note, place)
    described = f"a table, by {named}, decimal `{table.decimal}`: {table.columns.described()}"
    return Found(described, table.messages())


def _find_json(text: FileText, asked: Asked, layout: str, importing: ImportCircumstances, place: str) -> Found:
    report = importing.report
    if asked.mapping is not None or asked.format in {"csv", *_VENDORS}:
        raise ConfigurationError(f"{place} is JSON, and no table", "leave --mapping and --format out")
    if layout == "values":
        values, laid_out = json_values(_without_envelope(text), report.note), "JSON"
    else:
        values, laid_out = _filled(text.lines(report.note)), "JSON lines"
    if asked.format == "ga4" or (asked.format == "auto" and _is_of(is_ga4, text.head, layout)):
        return Found(f"{laid_out} of a GA4 export", _translated(values, lambda row: [ga4_message(row)], report))
    if asked.format == "posthog" or (asked.format == "auto" and _is_of(is_posthog, text.head, layout)):
        messages = partial(posthog_messages, now_ms=importing.now_ms, sets_apart=importing.sets_apart)
        return Found(f"{laid_out} of a PostHog export", _translated(values, messages, report))
    return Found(f"{laid_out} of the tracking API", values)


def _filled(lines: Iterable[tuple[int, bytes]]) -> Messages:
    for number, line in lines:
        if text := line.strip():
            yield number, text


def _without_envelope(text: FileText) -> Iterator[bytes]:
    blocks = text.blocks()
    first = next(blocks, b"")
    envelope = _ENVELOPE.match(first)
    # Its line breaks stay, so that lines keep their numbers.
    yield b"\n" * first.count(b"\n", 0, envelope.end()) + first[envelope.end() :] if envelope else first
    yield from blocks


def _is_of(is_vendors: Callable[[Mapping[str, Any]], bool], head: bytes, layout: str) -> bool:
    """Tell whether the first object of a file is of a vendor's export."""
    if layout == "values":
        envelope = _ENVELOPE.match(head)
        values = (value for _, value in json_values([head[envelope.end() if envelope else 0 :]], _ignore))
    else:
        values = (line.strip() for line in head.splitlines())
    first = next((found for value in values if (found := _object(value)) is not None), None)
    return first is not None and is_vendors(first)


def _ignore(number: int, reason: str, detail: str) -> None:
    """Note nothing: the same is read again."""


def _translated(
    values: Messages, translate: Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]], report: ImportReport
) -> Messages:
    for number, value in values:
        row = _object(value)
        if row is None and (mended := mend(value)) is not None and isinstance(mended.value, dict):
            row = mended.value
            for reason, detail in mended.repairs:
                report.warn(number, reason, detail)
        if row is None:
            report.note(number, DropReason.MALFORMED, "it is no JSON object")
        else:
            for message in translate(row):
                yield number, _encode(message)

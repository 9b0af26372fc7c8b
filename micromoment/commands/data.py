"""The commands `import` and `sql`, which load events into ClickHouse and query it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from collector.sites import Site
from micromoment.configuration.kept_secrets import read_secret
from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.configuration.site_choice import choose_site
from micromoment.configuration.site_money import site_money
from micromoment.engine.client import Engine, open_engine
from micromoment.engine.operator_query import answer_operator
from micromoment.history.formats import Asked, FormatName
from micromoment.history.importer import STANDARD_INPUT, Installation, import_file
from micromoment.history.mapping import read_mapping
from micromoment.history.report import REMEDIES, ImportReport, LineDrop
from micromoment.privacy.erasures import Erasures
from micromoment.terminal.answers import guarded_answer, shown_answer
from micromoment.terminal.text import harmless, say, user_name
from warehouse.address_ledger import AddressKeys
from warehouse.audit import store_audit
from warehouse.erasure import read_tombstones
from warehouse.event import format_time
from warehouse.faults import FaultKind, FaultRow, slot_of, store_faults, variety_of

#: Reasons that are a file's alone.
LINE_DROPS: Final = frozenset(map(str, LineDrop))


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--site", "site_name", help="Whose history it is; not needed when one site is configured.")
@click.option("--format", "format_name", type=click.Choice(get_args(FormatName)), default="auto", show_default=True)
@click.option(
    "--mapping",
    "mapping_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What the columns of a table mean: a file of YAML or TOML.",
)
@click.option("--encoding", default="", help="How the text is encoded, such as windows-1252; found out if not given.")
@settings_options
def import_history(
    files: tuple[Path, ...],
    site_name: str | None,
    format_name: FormatName,
    mapping_file: Path | None,
    encoding: str,
    **options: Any,  # noqa: ANN401 - the settings
) -> None:
    """Load history from FILES, or lists of addresses that get no more mail; `-` is the standard input.

    JSON lines, JSON, CSV and TSV are recognised by their content, as are gzip, zstd, bzip2 and xz. Timestamps are
    trusted as they stand, no live rule is triggered, and loading a file again stores nothing twice.
    """
    settings = read_options(options)
    site = _site(settings, site_name)
    mapping = read_mapping(mapping_file) if mapping_file else None
    asked = Asked(format_name, mapping, encoding)
    with open_engine(settings) as engine:
        reports = [_import(engine, settings, path, site, asked) for path in files]
    sys.exit(0 if all(report.is_complete for report in reports) else 1)


def _import(engine: Engine, settings: Settings, path: Path, site: Site, asked: Asked) -> ImportReport:
    secret = read_secret(settings)
    erasures = Erasures(secret)
    erasures.take(read_tombstones(engine))
    name = "standard input" if path == STANDARD_INPUT else path.name
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        total = None if path == STANDARD_INPUT else path.stat().st_size
        task = bar.add_task(f"import {harmless(name)}", total=total)
        report = import_file(
            engine,
            path,
            site,
            time.time_ns() // 1_000_000,
            lambda count: bar.advance(task, count),
            erasures.is_erased,
            asked=asked,
            installation=Installation(AddressKeys(secret), Path(settings.data_folder)),
        )
    store_audit(engine, user_name(), "import", {"site": site.name, "file": name, "stored": report.stored})
    store_faults(engine, _faults(report, site.name, time.time_ns() // 1_000_000))
    _tell(report, name)
    return report


def _faults(report: ImportReport, site: str, now_ms: int) -> Iterator[FaultRow]:
    """Yield what `micromoment warnings` tells of an import: how many events, by the reasons of collectors."""
    example = ("", "micromoment import", "")
    at, slot, variety = format_time(now_ms), slot_of(now_ms), variety_of(*example)
    counted: tuple[tuple[FaultKind, Counter[str]], ...] = (("drop", report.dropped), ("warning", report.warned))
    for kind, reasons in counted:
        for reason, events in reasons.items():
            if reason not in LINE_DROPS:
                yield FaultRow(site, kind, reason, slot, variety, events, REMEDIES[reason], at, *example)


def _site(settings: Settings, name: str | None) -> Site:
    chosen = choose_site(settings.sites, name)
    found = settings.sites.get(chosen)
    if found is None:
        return Site(chosen, write_key="")
    money = site_money(settings, chosen)
    return Site(
        chosen,
        write_key="",
        retention_days=found.retention_days,
        identity=found.identity,
        consent_categories=found.categories,
        none_ids=found.none_ids,
        real_ids=found.real_ids,
        currency=money.currency,
        rates=money.rates,
    )


def _tell(report: ImportReport, name: str) -> None:
    if not report.lines and not report.damage:
        say(f"{name} holds nothing: 0 lines", err=True)
        return
    say(f"{name}: {report.described}", err=True)
    stored = "facts of addresses stored" if report.are_facts else "events stored"
    say(f"{report.stored} {stored}" + ("" if report.are_facts else f", {report.known} stored before"), err=True)
    for damage in report.damage:
        say(f"damaged: {damage}\n  remedy: {REMEDIES[LineDrop.CUT_OFF]}", err=True)
    for told, counted in (("lines dropped", report.dropped), ("events changed", report.warned)):
        for reason, count in counted.most_common():
            say(f"{count} {told}: {reason}\n  remedy: {REMEDIES[reason]}", err=True)
    for example in report.examples:
        say(f"  {example}", err=True)


@click.command()
@click.argument("query")
@click.option("--format", "format_name", default="PrettyCompactMonoBlock", help="Any output format of ClickHouse.")
@click.option("--raw", is_flag=True, help="CSV and TSV as they are, also where a spreadsheet would calculate a cell.")
@settings_options
def sql(query: str, format_name: str, *, raw: bool, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Run a read-only query over events, fires, decisions and messages."""
    settings = read_options(options)
    if settings.sql_clickhouse:
        settings = msgspec.structs.replace(settings, clickhouse=settings.sql_clickhouse)
    with open_engine(settings, migrates=not settings.sql_clickhouse) as engine:
        answer = answer_operator(engine, query, format_name)
    if not raw:
        answer = guarded_answer(answer, format_name)
    answer = shown_answer(answer, format_name, is_terminal=sys.stdout.isatty())
    sys.stdout.buffer.write(answer if answer.endswith(b"\n") or not answer else answer + b"\n")

"""The commands `import` and `sql`, which load events into ClickHouse and query it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from collector.sites import Site
from micromoment.configuration.kept_secrets import read_secret
from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.engine.client import open_engine
from micromoment.engine.operator_query import answer_operator
from micromoment.history import ImportReport, import_file
from micromoment.privacy.erasures import Erasures
from micromoment.terminal.answers import guarded_answer, shown_answer
from micromoment.terminal.text import say, user_name
from warehouse.audit import store_audit
from warehouse.erasure import read_tombstones
from warehouse.errors import ConfigurationError


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--site", "site_name", help="Whose history it is; not needed when one site is configured.")
@settings_options
def import_history(file: Path, site_name: str | None, **options: Any) -> None:  # noqa: ANN401 - the settings
    """Load history from FILE: one Segment-shaped message a line, gzip welcome.

    Its timestamps are trusted as they stand, it triggers no live rule, and loading it again stores nothing twice.
    """
    settings = read_options(options)
    site = _site(settings, site_name)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with open_engine(settings) as engine, Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"import {file.name}", total=file.stat().st_size)
        now_ms = time.time_ns() // 1_000_000
        erasures = Erasures(read_secret(settings))
        erasures.take(read_tombstones(engine))
        report = import_file(engine, file, site, now_ms, lambda count: bar.advance(task, count), erasures.is_erased)
        store_audit(engine, user_name(), "import", {"site": site.name, "file": file.name, "stored": report.stored})
    _tell(report)
    sys.exit(1 if report.dropped else 0)


def _site(settings: Settings, name: str | None) -> Site:
    configured = list(settings.sites)
    if name is None and len(configured) > 1:
        raise ConfigurationError(f"--site: which of {', '.join(configured)}?", "give --site NAME")
    chosen = name or next(iter(configured), "default")
    found = settings.sites.get(chosen)
    return Site(chosen, write_key="", retention_days=found.retention_days) if found else Site(chosen, write_key="")


def _tell(report: ImportReport) -> None:
    say(f"{report.stored} events stored, {report.known} stored before", err=True)
    for reason, count in report.dropped.most_common():
        say(f"{count} lines dropped: {reason}", err=True)
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

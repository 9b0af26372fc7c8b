"""The commands `erase` and `export`, which remove or hand out all that is known of a person, and `audit`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.engine.client import EngineClient, open_engine, running_engine
from micromoment.engine.protocol import PersonRequest
from micromoment.privacy.desk import ErasureReport
from micromoment.roles.personal_data import open_personal_data
from micromoment.terminal.text import format_table, json_line, plain, say, user_name
from warehouse.audit import AuditRow, read_audit
from warehouse.erasure import MAX_IDS
from warehouse.errors import ConfigurationError

_HEADER: Final = ("table", "rows erased")
_site = click.option("--site", help="Whose visitor it is; not needed when one site is configured.")
_max_ids = click.option(
    "--max-ids", default=MAX_IDS, type=click.IntRange(1), help=f"More ids are no person; default {MAX_IDS}."
)


@click.command()
@click.argument("visitor")
@_site
@_max_ids
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="Default text.")
@settings_options
def erase(
    visitor: str,
    site: str | None,
    max_ids: int,
    *,
    yes: bool,
    format_name: str,
    **options: Any,  # noqa: ANN401 - the settings, as text
) -> None:
    """Erase all that is known of the person behind VISITOR, any of their ids, under all of them.

    From every table and its files, from what waits for ClickHouse, and from memory. It cannot be undone. What arrives
    late, of before, brings nobody back; a new visit is somebody new.
    """
    settings = read_options(options)
    asked = PersonRequest(_site_of(settings, site), visitor, user_name(), max_ids)
    if not yes:
        click.confirm(f"Erase all that is known of {plain(visitor)} on {asked.site}?", abort=True, err=True)
    with _running(settings) as client:
        report = client.erase(asked, ErasureReport) if client else asyncio.run(_erase(settings, asked))
    say(json_line(report) if format_name == "json" else _report(report), nl=False)


@click.command()
@click.argument("visitor")
@_site
@_max_ids
@settings_options
def export(visitor: str, site: str | None, max_ids: int, **options: Any) -> None:  # noqa: ANN401 - the settings
    """Print all that is known of the person behind VISITOR, any of their ids, as lines of JSON."""
    settings = read_options(options)
    asked = PersonRequest(_site_of(settings, site), visitor, user_name(), max_ids)
    write: Callable[[bytes], object] = sys.stdout.buffer.write
    with _running(settings) as client:
        if client is None:
            asyncio.run(_export(settings, asked, write))
        else:
            for part in client.export_person(asked):
                write(part)


@click.command()
@click.option("--limit", default=100, type=click.IntRange(1, 100_000), help="How many at most; default 100.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="Default text.")
@settings_options
def audit(limit: int, format_name: str, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """List what operators changed, the latest first."""
    with open_engine(read_options(options)) as engine:
        rows = read_audit(engine, limit)
    if format_name == "json":
        say("".join(map(json_line, rows)), nl=False)
    else:
        say(format_table(("at", "who", "what", "detail"), list(map(_audited, rows)), left=4), nl=False)


def _audited(row: AuditRow) -> tuple[str, ...]:
    return row.at, plain(row.actor), plain(row.action), plain(row.detail)


async def _erase(settings: Settings, asked: PersonRequest) -> ErasureReport:
    async with open_personal_data(settings) as data:
        return await data.erase(asked.site, asked.visitor, asked.actor, asked.max_ids)


async def _export(settings: Settings, asked: PersonRequest, write: Callable[[bytes], object]) -> None:
    async with open_personal_data(settings) as data:
        async for part in data.export(asked.site, asked.visitor, asked.actor, asked.max_ids):
            write(part)


@contextmanager
def _running(settings: Settings) -> Iterator[EngineClient | None]:
    """Yield the process that holds the embedded engine, None when none runs or a server has the tables."""
    with running_engine(settings) as client:
        yield client


def _site_of(settings: Settings, name: str | None) -> str:
    configured = list(settings.sites)
    if name is None and len(configured) != 1:
        raise ConfigurationError(f"--site: which of {', '.join(configured) or 'them'}?", "give --site NAME")
    return name or configured[0]


def _report(report: ErasureReport) -> str:
    rows = [(table, f"{count:,}") for table, count in report.rows.items()]
    rows.append(("waiting for ClickHouse", f"{report.waiting:,}"))
    ids = f"{report.ids} {'id' if report.ids == 1 else 'ids'}"
    return f"{format_table(_HEADER, rows)}the person had {ids}; erased in {report.seconds:.1f} s\n"

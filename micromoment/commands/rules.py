"""`rules`: what is live, and what it did today."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from micromoment.terminal.table import format_table
from trigger_worker.reports.rule_states import RuleState, rule_states
from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.fires import count_fires

_HEADER: Final = ("rule", "state", "version", "today", "when")


@click.command()
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="Default text.")
@settings_options
def rules(format_name: str, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """List the configured rules with their state, version and firings since midnight UTC."""
    settings = read_options(options)
    found = RuleFolder(Path(settings.rules_folder), Path(settings.audiences_file)).refresh()
    now_ms = time.time_ns() // 1_000_000
    with open_engine(settings) as engine:
        firings = count_fires(engine, now_ms - now_ms % DAY_MS)
    states = rule_states(found, firings)
    if format_name == "json":
        click.echo("".join(f"{msgspec.json.encode(state).decode()}\n" for state in states), nl=False)
    else:
        click.echo(format_table(_HEADER, [_row(state) for state in states], left=len(_HEADER)), nl=False)


def _row(state: RuleState) -> tuple[str, ...]:
    today = str(state.firings_today) if state.state != "invalid" else ""
    return state.rule, state.state, state.version, today, state.when or state.reason

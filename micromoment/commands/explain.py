"""`explain`: why a visitor did or did not qualify."""

from __future__ import annotations

import time
from typing import Any

import click
import msgspec

from micromoment.commands.chosen_rule import choose_rule
from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from micromoment.terminal.explanation import explanation_text
from micromoment.terminal.times import Instant
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.replay.explain import explain as explain_rule
from trigger_worker.replay.explain import find_site
from trigger_worker.store.people import Visitor


@click.command()
@click.argument("rule")
@click.argument("visitor")
@click.option("--at", type=Instant(), help="The instant asked about, such as 2026-11-22T12:00:00Z; default now.")
@click.option("--site", help="Whose visitor it is; not needed for an id that one site knows.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="Default text.")
@settings_options
def explain(
    rule: str,
    visitor: str,
    at: int | None,
    site: str | None,
    format_name: str,
    **options: Any,  # noqa: ANN401 - the settings, as text
) -> None:
    """Tell why VISITOR did or did not qualify for RULE, an id of the rules folder or a file.

    VISITOR is any id of the person. What is told is the latest time that the pattern was completed up to the instant.
    """
    settings = read_options(options)
    found = choose_rule(rule, settings)
    compiled = LiveRules(found.rules, found.audiences).by_id[found.rules[0].id]
    asked_at = time.time_ns() // 1_000_000 if at is None else at
    with open_engine(settings) as engine:
        whose = Visitor(site or find_site(engine, visitor), visitor)
        told = explain_rule(engine, compiled, found.audiences, whose, asked_at)
    as_json = f"{msgspec.json.encode(told).decode()}\n"
    click.echo(as_json if format_name == "json" else explanation_text(told), nl=False)

"""The commands `backtest` and `explain`, which evaluate rules over stored history."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from micromoment.commands.rules import choose_rule
from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.engine.client import open_engine
from micromoment.terminal.explanation import explanation_text
from micromoment.terminal.text import Instant, format_table, json_line, say
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.policy_file import load_policy
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.replay.backtest import Backtest, BacktestSummary, Firing
from trigger_worker.replay.explain import explain as explain_rule
from trigger_worker.replay.explain import find_site
from trigger_worker.rules.files.chosen import read_chosen
from trigger_worker.rules.language.duration import parse_duration
from trigger_worker.store.active import Range
from trigger_worker.store.people import Visitor
from warehouse.errors import RuleError
from warehouse.event import format_instant

_SINCE: Final = "30d"
_HEADER: Final = ("rule", "firings", "visitors", "per day", "capped", "quiet", "goal")
_COLUMNS: Final = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


class _FiringLine(msgspec.Struct, frozen=True):
    """A firing as a line of JSON."""

    rule: str
    visitor_id: str
    key: str
    at: str


@click.command()
@click.argument("rules", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--since", metavar="DURATION", help=f"How far back from now; default {_SINCE}.")
@click.option("--from", "first", type=Instant(), help="Where the range begins, such as 2026-11-01T00:00:00Z.")
@click.option("--to", "until", type=Instant(), help="Where it ends; default now.")
@settings_options
def backtest(rules: tuple[Path, ...], since: str | None, first: int | None, until: int | None, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Replay RULES, files or folders, over stored history with the clock of that history.

    Prints one JSON line for each firing, and a summary for each rule on standard error. The exit status is 1 when
    some of the rules are invalid and were left out.
    """
    settings = read_options(options)
    now_ms = time.time_ns() // 1_000_000
    span = _span(since, first, until, now_ms)
    sets = read_chosen(rules, Path(settings.audiences_file))
    problems = [problem for found in sets for problem in found.problems]
    for problem in problems:
        say(str(problem), err=True)
    chosen = [compiled for found in sets for compiled in LiveRules(found.rules, found.audiences).by_id.values()]
    summary = BacktestSummary(compiled.rule.id for compiled in chosen)
    with open_engine(settings) as engine:
        _replay(Backtest(engine, chosen, _policy(rules, settings), span, now_ms), summary)
    say(_table(summary, span), err=True, nl=False)
    sys.exit(1 if any(problem.severity == "error" for problem in problems) else 0)


def _span(since: str | None, first: int | None, until: int | None, now_ms: int) -> Range:
    """Return the range of time to replay, from the options; instants are epoch ms."""
    if since is not None and first is not None:
        raise click.UsageError("--since and --from both say where the range begins; give one of them")
    end = now_ms if until is None else until
    try:
        start = end - parse_duration(since or _SINCE) if first is None else first
    except RuleError as error:
        raise click.BadParameter(str(error.message), param_hint="--since") from error
    if start >= end:
        raise click.UsageError(f"the range is empty: it begins {format_instant(start)} and ends {format_instant(end)}")
    return Range(start, end)


def _policy(rules: Iterable[Path], settings: Settings) -> Policy:
    """Return the policy from the policy file beside the rules if that exists, else from the configured file."""
    folders = (path if path.is_dir() else path.parent for path in rules)
    beside = (folder.resolve().parent / "policy.yaml" for folder in folders)
    return load_policy(next((path for path in beside if path.is_file()), Path(settings.policy_file)))


def _replay(replay: Backtest, summary: BacktestSummary) -> None:
    """Print each firing as it is found, and add it to the summary."""
    with Progress(*_COLUMNS, console=Console(stderr=True)) as bar:
        counts = replay.count()
        task = bar.add_task("visitors", total=sum(counts.values()))
        for replayed in replay.run(counts):
            sys.stdout.writelines(map(_json_line, replayed.firings))
            sys.stdout.flush()
            summary.add(replayed.firings, replayed.restrained)
            bar.advance(task, replayed.ids)


def _json_line(firing: Firing) -> str:
    line = _FiringLine(firing.rule, firing.visitor_id, firing.key, format_instant(firing.at))
    return json_line(line)


def _table(summary: BacktestSummary, span: Range) -> str:
    rows = [
        (
            rule,
            f"{found.firings:,}",
            f"{found.visitors:,}",
            f"{found.per_day(span):,.2f}",
            f"{found.capped:,}",
            f"{found.quieted:,}",
            "-" if found.goal_rate is None else f"{found.goal_rate:.1%}",
        )
        for rule, found in summary.rules.items()
    ]
    return f"{format_instant(span.since)} to {format_instant(span.until)}\n{format_table(_HEADER, rows)}"


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
    say(json_line(told) if format_name == "json" else explanation_text(told), nl=False)

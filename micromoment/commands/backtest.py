"""`backtest`: what rules would have done."""

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

from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.engine.client import open_engine
from micromoment.terminal.table import format_table
from micromoment.terminal.times import Instant
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.policy_file import load_policy
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.replay.backtest import Backtest, BacktestSummary, Firing
from trigger_worker.rules.files.chosen import read_chosen
from trigger_worker.rules.language.duration import parse_duration
from trigger_worker.store.active import Range
from warehouse.errors import RuleError
from warehouse.event import format_instant

_SINCE: Final = "30d"
_HEADER: Final = ("rule", "firings", "visitors", "per day", "capped", "quiet", "goal")
_COLUMNS: Final = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


class _Line(msgspec.Struct, frozen=True):
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
        click.echo(problem, err=True)
    chosen = [compiled for found in sets for compiled in LiveRules(found.rules, found.audiences).by_id.values()]
    policy = _policy(rules, settings)
    summary = BacktestSummary(compiled.rule.id for compiled in chosen)
    with open_engine(settings) as engine:
        _run(Backtest(engine, chosen, policy, span, now_ms), summary)
    click.echo(_table(summary, span), err=True, nl=False)
    sys.exit(1 if any(problem.severity == "error" for problem in problems) else 0)


def _span(since: str | None, first: int | None, until: int | None, now_ms: int) -> Range:
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
    """Return the policy beside the rules, where there is one, else the configured one."""
    folders = (path if path.is_dir() else path.parent for path in rules)
    beside = (folder.resolve().parent / "policy.yaml" for folder in folders)
    return load_policy(next((path for path in beside if path.is_file()), Path(settings.policy_file)))


def _run(replay: Backtest, summary: BacktestSummary) -> None:
    with Progress(*_COLUMNS, console=Console(stderr=True)) as bar:
        counts = replay.count()
        task = bar.add_task("visitors", total=sum(counts.values()))
        for replayed in replay.run(counts):
            sys.stdout.writelines(map(_json_line, replayed.firings))
            sys.stdout.flush()
            summary.add(replayed.firings, replayed.restrained)
            bar.advance(task, replayed.ids)


def _json_line(firing: Firing) -> str:
    line = _Line(firing.rule, firing.visitor_id, firing.key, format_instant(firing.at))
    return msgspec.json.encode(line).decode() + "\n"


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

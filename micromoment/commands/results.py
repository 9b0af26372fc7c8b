"""The command `results`, which evaluates the experiment of a rule."""

from __future__ import annotations

import time
from typing import Any, Final

import click
import msgspec

from micromoment.commands.rules import choose_rule
from micromoment.configuration.options import read_options, settings_options
from micromoment.engine.client import open_engine
from micromoment.terminal.experiment_report import results_text
from micromoment.terminal.text import Instant, json_line, say
from trigger_worker.deciding.experiment.results import Results, results_of
from trigger_worker.rules.files.scalars import parse_share
from trigger_worker.rules.model import Experiment, Rule
from trigger_worker.store.arm_data import read_arm_data
from warehouse.errors import RuleError
from warehouse.event import format_instant

_NO_EXPERIMENT: Final = Experiment()


class _VersionResults(msgspec.Struct, frozen=True):
    """The results of one version of a rule, as JSON."""

    rule: str
    version: str
    until: str
    results: Results


@click.command()
@click.argument("rule")
@click.option("--version", help="Of the rule; default the one that is live.")
@click.option("--at", type=Instant(), help="The latest instant looked at, such as 2026-11-22T12:00:00Z; default now.")
@click.option("--effect", default="10%", help="Relative uplift that the smallest sample is for; default 10%.")
@click.option("--confidence", default="95%", help="Of the intervals; default 95%.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", help="Default text.")
@settings_options
def results(
    rule: str,
    version: str | None,
    at: int | None,
    effect: str,
    confidence: str,
    format_name: str,
    **options: Any,  # noqa: ANN401 - the settings, as text
) -> None:
    """Print the results so far of the experiment of RULE, an id of the rules folder or a file.

    Visitors count once, from their first decision under the version; the goal is that of the rule as it is now.
    """
    settings = read_options(options)
    asked = choose_rule(rule, settings).rules[0]
    experiment = _experiment(asked)
    wanted, alpha = _share(effect, "--effect"), 1 - _share(confidence, "--confidence")
    until = time.time_ns() // 1_000_000 if at is None else at
    run = version or asked.version
    with open_engine(settings) as engine:
        found = read_arm_data(engine, asked, run, until)
    told = results_of(experiment, found, wanted, alpha)
    if format_name == "json":
        say(json_line(_VersionResults(asked.id, run, format_instant(until), told)), nl=False)
    else:
        say(f"{asked.id}, version {run}, until {format_instant(until)}\n{results_text(told)}", nl=False)


def _experiment(rule: Rule) -> Experiment:
    """Return the experiment of a rule, or raise an error when the rule treats all visitors alike."""
    experiment = rule.experiment or _NO_EXPERIMENT
    if not experiment.holdout and not experiment.arms:
        raise RuleError(
            f"{rule.path}: the rule {rule.id} has no experiment: everybody gets the same",
            "add experiment: {holdout: 10%}, or arms",
        )
    return experiment


def _share(text: str, option: str) -> float:
    """Return the share, between 0 and 1, that an option states as text such as `10%`."""
    try:
        share = parse_share(text)
    except RuleError as error:
        raise click.BadParameter(error.message, param_hint=option) from error
    if not 0 < share < 1:
        raise click.BadParameter(f"expected more than 0% and less than 100%, found {text}", param_hint=option)
    return share

"""The commands `rules` and `check`, which read the configured rules, and the choice of one rule for other commands."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from micromoment.configuration.options import read_options, settings_options
from micromoment.configuration.settings import Settings
from micromoment.engine.client import open_engine
from micromoment.terminal.text import format_table, json_line, say
from trigger_worker.deciding.gate.policy_file import load_policy
from trigger_worker.deciding.gate.policy_source import load_suppressions
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.reports.rule_states import RuleState, rule_states
from trigger_worker.rules.files.chosen import read_chosen
from trigger_worker.rules.files.folder import RuleFolder, RuleSet
from trigger_worker.rules.language.duration import DAY_MS
from trigger_worker.store.fires import count_fires
from warehouse.errors import RuleError, TemplateError

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
        say("".join(map(json_line, states)), nl=False)
    else:
        say(format_table(_HEADER, [_row(state) for state in states], left=len(_HEADER)), nl=False)


def _row(state: RuleState) -> tuple[str, ...]:
    today = str(state.firings_today) if state.state != "invalid" else ""
    return state.rule, state.state, state.version, today, state.when or state.reason


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True))
@settings_options
def check(folder: Path | None, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Parse and type-check rules, audiences, policy, suppressions and the templates that rules name.

    FOLDER holds the rules; audiences.yaml, policy.yaml, suppressions.txt and templates/ lie beside it. Without it the
    configured ones are checked. The exit status is 1 when there is an error; warnings alone leave it 0.
    """
    settings = read_options(options)
    files = _files_beside(folder) if folder else _configured_files(settings)
    found = RuleFolder(files.rules, files.audiences).refresh()
    problems = [str(problem) for problem in found.problems]
    errors = sum(problem.severity == "error" for problem in found.problems)
    others = [*_restraint_problems(files.policy, files.suppressions), *_template_problems(found, files.templates)]
    for line in (*problems, *others):
        say(line)
    errors += len(others)
    warnings = len(problems) + len(others) - errors
    say(f"{len(found.rules)} rules are valid; {errors} errors, {warnings} warnings", err=True)
    sys.exit(1 if errors else 0)


class _CheckedFiles(msgspec.Struct, frozen=True):
    """The files and folders that one check reads."""

    rules: Path
    audiences: Path
    policy: Path
    suppressions: Path
    templates: Path


def _files_beside(rules: Path) -> _CheckedFiles:
    beside = rules.parent
    return _CheckedFiles(
        rules,
        beside / "audiences.yaml",
        beside / "policy.yaml",
        beside / "suppressions.txt",
        beside / "templates",
    )


def _configured_files(settings: Settings) -> _CheckedFiles:
    return _CheckedFiles(
        Path(settings.rules_folder),
        Path(settings.audiences_file),
        Path(settings.policy_file),
        Path(settings.suppressions_file),
        Path(settings.templates_folder),
    )


def _restraint_problems(policy: Path, suppressions: Path) -> list[str]:
    problems = []
    for load, path in ((load_policy, policy), (load_suppressions, suppressions)):
        try:
            load(path)
        except RuleError as error:
            problems.append(str(error))
    return problems


def _template_problems(found: RuleSet, folder: Path) -> list[str]:
    templates = TemplateFolder(folder)
    problems = []
    for rule in found.rules:
        for message in rule.send:
            try:
                templates.check(message.channel, message.template)
            except TemplateError as error:
                problems.append(f"{rule.path}: {error}")
    return problems


def choose_rule(name: str, settings: Settings) -> RuleSet:
    """Return a set that holds the one rule that a command was asked about, and the audiences it may refer to.

    Args:
        name: the id of a rule in the rules folder, or the path of a rule's file.
        settings: the settings, which name the rules folder and the file of audiences.

    Raises:
        RuleError: there is no such rule, or it is invalid.
    """
    if Path(name).is_file():
        return next(found for found in read_chosen([Path(name)], Path(settings.audiences_file)) if found.rules)
    folder = RuleFolder(Path(settings.rules_folder), Path(settings.audiences_file)).refresh()
    rules = tuple(rule for rule in folder.rules if rule.id == name)
    if not rules:
        problems = [str(problem) for problem in folder.problems if problem.severity == "error"]
        told = "\n  ".join([f"{settings.rules_folder}: there is no valid rule {name!r}", *problems])
        raise RuleError(told, "name a rule of the rules folder, or a file; `micromoment rules` lists them")
    return RuleSet(rules, folder.audiences, ())

"""`check`: say what is wrong with rules before they go live."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from micromoment.configuration.options import read_options, settings_options
from trigger_worker.deciding.gate.policy_file import load_policy
from trigger_worker.deciding.gate.policy_source import load_suppressions
from trigger_worker.delivery.content.templates import TemplateFolder
from trigger_worker.rules.files.folder import RuleFolder, RuleSet
from warehouse.errors import RuleError, TemplateError


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True))
@settings_options
def check(folder: Path | None, **options: Any) -> None:  # noqa: ANN401 - the settings, as text
    """Parse and type-check rules, audiences, policy, suppressions and the templates that rules name.

    FOLDER holds the rules; audiences.yaml, policy.yaml, suppressions.txt and templates/ lie beside it. Without it the
    configured ones are checked. The exit status is 1 when there is an error; warnings alone leave it 0.
    """
    settings = read_options(options)
    rules = folder or Path(settings.rules_folder)
    beside = folder.parent if folder else None
    audiences = beside / "audiences.yaml" if beside else Path(settings.audiences_file)
    policy = beside / "policy.yaml" if beside else Path(settings.policy_file)
    suppressions = beside / "suppressions.txt" if beside else Path(settings.suppressions_file)
    templates = beside / "templates" if beside else Path(settings.templates_folder)
    found = RuleFolder(rules, audiences).refresh()
    problems = [str(problem) for problem in found.problems]
    errors = sum(problem.severity == "error" for problem in found.problems)
    others = [*_restraint_problems(policy, suppressions), *_template_problems(found, templates)]
    for line in (*problems, *others):
        click.echo(line)
    errors += len(others)
    warnings = len(problems) + len(others) - errors
    click.echo(f"{len(found.rules)} rules are valid; {errors} errors, {warnings} warnings", err=True)
    sys.exit(1 if errors else 0)


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

"""The one rule that a command is about."""

from __future__ import annotations

from pathlib import Path

from micromoment.configuration.settings import Settings
from trigger_worker.rules.files.chosen import read_chosen
from trigger_worker.rules.files.folder import RuleFolder, RuleSet
from warehouse.errors import RuleError


def choose_rule(name: str, settings: Settings) -> RuleSet:
    """Return a set of the one rule that is meant, with the audiences it may refer to.

    Args:
        name: an id of the rules folder, or a file.
        settings: where the folder is.

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

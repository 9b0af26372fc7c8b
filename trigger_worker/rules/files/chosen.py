"""Read the rules that a command line names: files, or folders of files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from trigger_worker.rules.files.audiences import AudiencesReading, names_of, read_audiences
from trigger_worker.rules.files.folder import RuleSet, rule_files
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.files.source import Problem
from trigger_worker.rules.model import NO_AUDIENCES, Rule
from warehouse.errors import RuleError


def read_chosen(paths: Iterable[Path], audiences_file: Path) -> list[RuleSet]:
    """Return the rules of files and folders, in one set for each audiences.yaml that they refer to.

    A rule with errors is left out; its problems are in its set.

    Args:
        paths: files or folders. An `audiences.yaml` beside a folder, or beside the folder that a file is in, goes
            before the configured one.
        audiences_file: the configured audiences.yaml; it need not exist.

    Raises:
        RuleError: a file cannot be read, two rules share an id, or no rule is valid.
    """
    files_by_audiences: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        folder = path if path.is_dir() else path.parent
        beside = folder.resolve().parent / "audiences.yaml"
        files = rule_files(path) if path.is_dir() else [path]
        files_by_audiences[beside if beside.is_file() else audiences_file] += files
    sets = [_read_set(audiences, files) for audiences, files in files_by_audiences.items()]
    _require_rules(sets)
    _require_distinct_ids(rule for found in sets for rule in found.rules)
    return sets


def _read_set(audiences_file: Path, files: Iterable[Path]) -> RuleSet:
    audiences = AudiencesReading(NO_AUDIENCES, [])
    if audiences_file.is_file():
        audiences = read_audiences(_text(audiences_file), str(audiences_file))
    known = names_of(audiences.audiences)
    readings = [read_rule(_text(file), str(file), known) for file in dict.fromkeys(files)]
    rules = tuple(reading.rule for reading in readings if reading.rule is not None)
    problems = [*audiences.problems, *(problem for reading in readings for problem in reading.problems)]
    return RuleSet(rules, audiences.audiences, tuple(problems))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path}: cannot be read: {error}", "name rule files in UTF-8, or folders of them") from error


def _require_rules(sets: Iterable[RuleSet]) -> None:
    found = list(sets)
    if any(each.rules for each in found):
        return
    problems: list[Problem] = [problem for each in found for problem in each.problems]
    told = "\n  ".join(["there is no valid rule in what was named", *map(str, problems)])
    raise RuleError(told, "name rule files, or folders of them")


def _require_distinct_ids(rules: Iterable[Rule]) -> None:
    paths: dict[str, str] = {}
    for rule in rules:
        if rule.id in paths:
            raise RuleError(f'{rule.path}: the id "{rule.id}" is taken by {paths[rule.id]}', "name one of them")
        paths[rule.id] = rule.path

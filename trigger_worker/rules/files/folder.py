"""Read the rules folder, and read a file of it again whenever it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from trigger_worker.rules.files.audiences import AudiencesReading, names_of, read_audiences
from trigger_worker.rules.files.read import RuleReading, read_rule
from trigger_worker.rules.files.source import Problem
from trigger_worker.rules.model import NO_AUDIENCES, Audiences, Rule

#: The marks by which a change of a file is noticed: modification time in ns, size, inode.
Signature = tuple[int, int, int]
Signatures = Mapping[Path, Signature]

_ENDINGS: Final = frozenset({".yaml", ".yml"})
_NO_READING: Final = AudiencesReading(NO_AUDIENCES, [])


class RuleSet(msgspec.Struct, frozen=True):
    """The rules of a folder at one time, with their audiences and problems.

    Args:
        rules: the rules without errors, in the order of their files.
        audiences: the audiences that the rules may refer to.
        problems: errors and warnings of all files, in order.
    """

    rules: tuple[Rule, ...]
    audiences: Audiences
    problems: tuple[Problem, ...]

    @property
    def unpaused(self) -> list[Rule]:
        """The rules that may fire."""
        return [rule for rule in self.rules if not rule.paused]


#: The rules of a folder that was not read yet.
NO_RULES: Final = RuleSet((), NO_AUDIENCES, ())


class RuleFolder:
    """A folder of rule files, and audiences.yaml, on disk.

    Args:
        folder: the folder with one file per rule.
        audiences_file: the path of audiences.yaml; it need not exist.
    """

    def __init__(self, folder: Path, audiences_file: Path) -> None:
        self._folder = folder
        self._audiences_file = audiences_file
        self._signatures: Signatures | None = None
        self._audiences = _NO_READING
        self._readings: dict[Path, RuleReading] = {}
        self._rule_set = NO_RULES

    def refresh(self) -> RuleSet:
        """Return the rules as they are now; the very same object as before while no file changes.

        A file that became invalid takes its rule out of the set; the other rules stay.
        """
        signatures = _signatures([*rule_files(self._folder), self._audiences_file])
        if self._signatures is None or signatures != self._signatures:
            self._read(signatures, self._signatures or {})
            self._signatures = signatures
        return self._rule_set

    def _read(self, signatures: Signatures, before: Signatures) -> None:
        audiences_file = self._audiences_file
        have_audiences_changed = signatures.get(audiences_file) != before.get(audiences_file)
        if have_audiences_changed:
            self._audiences = self._read_audiences() if audiences_file in signatures else _NO_READING
        self._readings = {
            path: self._readings[path]
            if path in self._readings and signature == before.get(path) and not have_audiences_changed
            else self._read_rule(path)
            for path, signature in signatures.items()
            if path != audiences_file
        }
        self._rule_set = self._combined()

    def _read_audiences(self) -> AudiencesReading:
        path = self._audiences_file
        text = _text(path)
        if isinstance(text, Problem):
            return AudiencesReading(NO_AUDIENCES, [text])
        return read_audiences(text, path.name)

    def _read_rule(self, path: Path) -> RuleReading:
        text = _text(path, self._folder.name)
        if isinstance(text, Problem):
            return RuleReading(None, [text])
        return read_rule(text, _shown(path, self._folder.name), names_of(self._audiences.audiences))

    def _combined(self) -> RuleSet:
        """Return the rules and problems of all files; of two rules with one id the first file's counts."""
        rules: dict[str, Rule] = {}
        problems = list(self._audiences.problems)
        if not self._folder.is_dir():
            problems.append(Problem(str(self._folder), 1, 1, "there is no such folder", "put rules into it"))
        for reading in self._readings.values():
            problems.extend(reading.problems)
            rule = reading.rule
            if rule is not None and rule.id in rules:
                message = f'the id "{rule.id}" is taken by {rules[rule.id].path}'
                problems.append(Problem(rule.path, rule.line, 1, message, "give this rule another id"))
            elif rule is not None:
                rules[rule.id] = rule
        return RuleSet(tuple(rules.values()), self._audiences.audiences, tuple(problems))


def rule_files(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold rules, in order; none when there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS)


def _signatures(paths: Iterable[Path]) -> dict[Path, Signature]:
    """Return the signature of each path that is a file."""
    found = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _text(path: Path, folder_name: str = "") -> str | Problem:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"this file cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        message = f"this file is not UTF-8: byte {error.start} is not part of a character"
    return Problem(_shown(path, folder_name), 1, 1, message)


def _shown(path: Path, folder_name: str) -> str:
    return f"{folder_name}/{path.name}" if folder_name else path.name

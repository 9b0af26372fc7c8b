"""Watch the operator's two files, policy and suppression list, and read each again when it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import structlog

from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.policy_file import load_policy
from warehouse.addresses import parse_address
from warehouse.errors import RuleError

_COMMENT: Final = "#"

_log = structlog.get_logger("trigger_worker.policy")


class PolicySource:
    """The policy with the suppressed addresses, as the files say now.

    A mistake that comes into a file while the worker runs is logged, and errs on the side of silence: the earlier
    policy goes on holding, and to the earlier suppressions are added those that can be read.

    Args:
        policy: the policy file; without one nothing is restrained.
        suppressions: the suppression list; without one no address is suppressed.

    Raises:
        RuleError: a file has mistakes at the start, when nobody relies on an earlier state.
    """

    def __init__(self, policy: Path, suppressions: Path | None = None) -> None:
        self._file = WatchedFile(policy)
        self._list = None if suppressions is None else WatchedFile(suppressions)
        listed = frozenset() if suppressions is None else load_suppressions(suppressions)
        self.policy: Policy = msgspec.structs.replace(load_policy(policy), suppressed=listed)

    def refresh(self) -> None:
        """Read the files again that changed."""
        if self._file.changed():
            self._read_policy()
        if self._list is not None and self._list.changed():
            self._read_suppressions(self._list.path)

    def _read_policy(self) -> None:
        try:
            policy = load_policy(self._file.path)
        except RuleError as error:
            _log.error("policy_invalid", error=error.message, remedy=error.hint)
        else:
            self.policy = msgspec.structs.replace(policy, suppressed=self.policy.suppressed)

    def _read_suppressions(self, path: Path) -> None:
        try:
            listed = load_suppressions(path)
        except SuppressionError as error:
            _log.error("suppressions_invalid", error=error.message, remedy=error.hint)
            listed = frozenset(self.policy.suppressed) | error.readable
        self.policy = msgspec.structs.replace(self.policy, suppressed=listed)


class WatchedFile:
    """A file, with its state at the last look.

    Args:
        path: the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signature = self._look()

    def changed(self) -> bool:
        """Tell whether the file changed since this was last asked, or since the start."""
        signature = self._look()
        same = signature == self._signature
        self._signature = signature
        return not same

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


class SuppressionError(RuleError):
    """The error of a suppression list with mistakes.

    Args:
        message: every mistake with its place.
        readable: the addresses of the other lines.
    """

    def __init__(self, message: str, readable: frozenset[str] = frozenset()) -> None:
        super().__init__(message, "write one email address or international telephone number in a line")
        self.readable = readable


def load_suppressions(path: Path) -> frozenset[str]:
    """Return the addresses of a list file, normalised; without such a file none.

    Raises:
        SuppressionError: the file cannot be read, or a line is neither an address nor a comment.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError) as error:
        raise SuppressionError(f"{path.name}:1: cannot be read: {error}") from error
    return read_suppressions(text, path.name)


def read_suppressions(text: str, path: str) -> frozenset[str]:
    """Return the addresses of a list text: one address a line, with empty lines and `#` comments between them.

    Raises:
        SuppressionError: for example `suppressions.txt:3: expected an email address ...`.
    """
    addresses: set[str] = set()
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition(_COMMENT)[0].strip()
        if not entry:
            continue
        try:
            addresses.add(parse_address(entry))
        except RuleError as error:
            problems.append(f"{path}:{number}: {error.message}")
    if problems:
        raise SuppressionError("\n".join(problems), frozenset(addresses))
    return frozenset(addresses)

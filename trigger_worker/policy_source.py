"""The policy file, read again when it changes."""

from __future__ import annotations

from pathlib import Path

import structlog

from trigger_worker.gate.policy import Policy
from trigger_worker.gate.policy_file import load_policy
from warehouse.errors import RuleError

_log = structlog.get_logger("trigger_worker.policy")


class PolicySource:
    """What holds for all rules, as the file says now.

    Args:
        path: the file; without one nothing is restrained.

    Raises:
        RuleError: the file is wrong at the start, when nobody relies on an earlier one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature = self._stat()
        self.policy: Policy = load_policy(path)

    def refresh(self) -> None:
        """Read the file again if it changed; a mistake in it is logged, and what held before goes on holding."""
        signature = self._stat()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self.policy = load_policy(self._path)
        except RuleError as error:
            _log.error("policy_invalid", error=error.message, remedy=error.hint)

    def _stat(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

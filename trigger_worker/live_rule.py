"""A rule that is live, compiled, with what it looks at."""

from __future__ import annotations

import msgspec

from trigger_worker.evaluate.engine import CompiledRule
from trigger_worker.evaluate.needs import Needs
from trigger_worker.language.syntax import Selection
from trigger_worker.rules.model import Rule


class LiveRule(msgspec.Struct, frozen=True, eq=False):
    """A compiled rule with what it looks at.

    Args:
        compiled: answers whether it matches.
        needs: of `when` and `if`.
        sending_needs: of the `if` and `unless` of its messages.
    """

    compiled: CompiledRule
    needs: Needs
    sending_needs: Needs

    @property
    def rule(self) -> Rule:
        """The rule as it was read."""
        return self.compiled.rule

    @property
    def last_step(self) -> Selection:
        """The events that complete the pattern, at once or when its wait is over."""
        return self.rule.when.steps[-1].selection

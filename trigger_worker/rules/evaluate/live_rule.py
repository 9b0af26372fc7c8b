"""A rule that is live, compiled, with what it looks at."""

from __future__ import annotations

import msgspec

from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.evaluate.expression import ExpressionCompiler
from trigger_worker.rules.evaluate.needs import Needs, needs, sending_needs
from trigger_worker.rules.language.syntax import Selection
from trigger_worker.rules.model import Audiences, Rule


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


def compile_rule(rule: Rule, audiences: Audiences, expressions: ExpressionCompiler) -> LiveRule:
    """Return a rule, compiled.

    Args:
        rule: what to compile.
        audiences: what it refers to.
        expressions: compiles expressions over them; one for all rules.
    """
    return LiveRule(CompiledRule(rule, expressions), needs(rule, audiences), sending_needs(rule, audiences))

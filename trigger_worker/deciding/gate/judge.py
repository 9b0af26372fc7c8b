"""The one gate that every message of every channel passes."""

from __future__ import annotations

from typing import Final

from trigger_worker.deciding.gate import checks
from trigger_worker.deciding.gate.facts import MessageFacts
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.verdict import Reason, Verdict

#: Asked in this order. What ends a message comes before what delays it, so that none waits in vain.
CHECKS: Final[tuple[checks.Check, ...]] = (
    checks.consent,
    checks.subscription,
    checks.suppression,
    checks.address,
    checks.holdout,
    checks.own_rule,
    checks.expiry,
    checks.fatigue,
    checks.priority,
    checks.caps,
    checks.quiet_hours,
    checks.gap,
)


def judge(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict:
    """Decides on one message: the first check that stands against it gives the verdict.

    Of messages that come together the caller asks in order of priority, adds what was let through to the history of
    those that follow, and names it as their rival.

    Args:
        facts: the message and its visitor.
        policy: what holds for all rules.
        now_ms: the instant of the decision, in milliseconds since 1970.
    """
    for check in CHECKS:
        verdict = check(facts, policy, now_ms)
        if verdict is not None:
            return verdict
    return Verdict("send", Reason.PASSED)

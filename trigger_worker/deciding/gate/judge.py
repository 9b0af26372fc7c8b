"""Judge a message by the ordered list of the gate's checks."""

from __future__ import annotations

from typing import Final

from trigger_worker.deciding.gate import checks
from trigger_worker.deciding.gate.facts import MessageFacts
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.deciding.gate.verdict import Verdict
from trigger_worker.store.decisions import Reason

#: In this order. Checks that end a message come before checks that delay it, so that none waits in vain.
CHECKS: Final[tuple[checks.Check, ...]] = (
    checks.consent,
    checks.subscription,
    checks.suppression,
    checks.address,
    checks.confirmation,
    checks.holdout,
    checks.own_rule,
    checks.expiry,
    checks.fatigue,
    checks.priority,
    checks.caps,
    checks.quiet_hours,
    checks.gap,
    checks.ceiling,
)


def judge(facts: MessageFacts, policy: Policy, now_ms: int) -> Verdict:
    """Return the verdict on one message: that of the first check that has something against it.

    The caller judges messages that come together in order of priority, adds each message that is let through to the
    history of the messages that follow, and names it as their rival.

    Args:
        facts: the message and its person.
        policy: what holds for all rules.
        now_ms: the instant of the decision, epoch ms.
    """
    for check in CHECKS:
        verdict = check(facts, policy, now_ms)
        if verdict is not None:
            return verdict
    return Verdict("send", Reason.PASSED)

"""What the gate says about a message, and the closed set of reasons it may give."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec

#: Go now; ask again at `until_ms`; never go.
Decision = Literal["send", "defer", "drop"]


class Reason(StrEnum):
    """Why a verdict is what it is; each value is what the column `decisions.reason` holds."""

    #: Every check let the message through.
    PASSED = "passed"
    #: The rule was removed after it fired, or its file is broken now.
    RULE_REMOVED = "rule_removed"
    #: The firing has reached the rule's goal.
    GOAL_REACHED = "goal_reached"
    #: The rule, which says `restart: true`, has fired anew for this visitor and key.
    RESTARTED = "restarted"
    #: The message waits for its time of day, `at`.
    SCHEDULED = "scheduled"
    #: The message's own `if` or `unless` said no at the moment of sending.
    CONDITION = "condition"
    #: The visitor said no to marketing, or to this channel.
    NO_CONSENT = "no_consent"
    #: The visitor unsubscribed from this channel, or from any since the rule fired.
    UNSUBSCRIBED = "unsubscribed"
    #: The address is on the list of those never to be written to again.
    SUPPRESSED = "suppressed"
    #: There is nowhere to send it: no email address, no known browser.
    NO_ADDRESS = "no_address"
    #: The visitor belongs to those who get nothing, so that the effect of the rest can be measured.
    HOLDOUT = "holdout"
    #: Its time to live is over, or will be before the visitor may be disturbed again.
    EXPIRED = "expired"
    #: A message of a rule with a higher priority goes out on this channel at the same time.
    PRIORITY = "priority"
    #: The visitor ignored what this rule showed too often of late.
    FATIGUE = "fatigue"
    #: A cap of the policy is used up.
    CAP = "cap"
    #: It is quiet time where the visitor is.
    QUIET_HOURS = "quiet_hours"
    #: The previous message on this channel is too recent.
    GAP = "gap"


class Verdict(msgspec.Struct, frozen=True):
    """The gate's answer for one message.

    Args:
        decision: what to do with the message.
        reason: the check that decided, or that all passed.
        detail: the values that decided, fit for JSON.
        until_ms: for `defer` the instant to ask again, in milliseconds since 1970; else None.
    """

    decision: Decision
    reason: Reason
    detail: Mapping[str, object] = {}
    until_ms: int | None = None

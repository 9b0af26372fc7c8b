"""Decisions on messages as they are stored: the closed set of reasons, and the arm that a person was placed in."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Person
from trigger_worker.store.people_queries import for_people
from trigger_worker.store.statements import statement
from warehouse.queries import Queries

#: Send now, ask again later, or never send.
Decision = Literal["send", "defer", "drop"]


class Reason(StrEnum):
    """The reason of a verdict; each value is a value of the column `decisions.reason`."""

    #: Every check let the message through.
    PASSED = "passed"
    #: The rule was removed after it fired, or its file is broken now.
    RULE_REMOVED = "rule_removed"
    #: The firing has reached the rule's goal.
    GOAL_REACHED = "goal_reached"
    #: The rule, which says `restart: true`, has fired anew for this person and key.
    RESTARTED = "restarted"
    #: The message waits for its time of day, `at`.
    SCHEDULED = "scheduled"
    #: The message's own `if` or `unless` said no at the moment of sending.
    CONDITION = "condition"
    #: The person said no to marketing, or to this channel.
    NO_CONSENT = "no_consent"
    #: The person unsubscribed from this channel, or from any since the rule fired.
    UNSUBSCRIBED = "unsubscribed"
    #: The address is on the list of those never to be written to again.
    SUPPRESSED = "suppressed"
    #: There is nowhere to send it: no email address, no known browser.
    NO_ADDRESS = "no_address"
    #: Nobody has confirmed that the address is the person's, and so is written to with marketing not at all, and with
    #: other messages only now and then.
    ADDRESS_UNCONFIRMED = "address_unconfirmed"
    #: The message asks whether the address is the person's, which is known already.
    ADDRESS_CONFIRMED = "address_confirmed"
    #: The person belongs to those who get nothing, so that the effect of the rest can be measured.
    HOLDOUT = "holdout"
    #: Its time to live is over, or will be before the person may be disturbed again.
    EXPIRED = "expired"
    #: A message of a rule with a higher priority goes out on this channel at the same time.
    PRIORITY = "priority"
    #: The person ignored this rule's messages too often of late.
    FATIGUE = "fatigue"
    #: A cap of the policy is used up.
    CAP = "cap"
    #: It is quiet time where the person is.
    QUIET_HOURS = "quiet_hours"
    #: The previous message on this channel is too recent.
    GAP = "gap"
    #: The site has sent as many messages within the hour as its operator expects at most.
    CEILING = "ceiling"


#: The reasons that the gate finds before it asks about the holdout: they stop held-out people and others alike.
BEFORE_HOLDOUT: Final = (
    Reason.NO_CONSENT,
    Reason.UNSUBSCRIBED,
    Reason.SUPPRESSED,
    Reason.NO_ADDRESS,
    Reason.ADDRESS_UNCONFIRMED,
    Reason.ADDRESS_CONFIRMED,
)


class DecisionRecord(msgspec.Struct, frozen=True):
    """A verdict on a message, given at `decided_at` (epoch ms).

    Args:
        message: the message.
        verdict: the decision.
        reason: a value of `Reason`.
        detail: the values that decided.
        arm: the person's arm of the rule's experiment; '' without one.
    """

    message: QueuedMessage
    verdict: Decision
    reason: str
    detail: dict[str, Any]
    decided_at: int
    arm: str = ""


#: A rule's id and version.
Version = tuple[str, str]
#: A rule's id and version, and the person.
Placed = tuple[str, str, Person]


class Placement(msgspec.Struct, frozen=True):
    """A person's place in the experiment of a rule.

    Args:
        arm: the arm; '' for a rule without arms.
        held_out: whether the rule was found to hold the person out; None for a person who was not decided on before.
    """

    arm: str
    held_out: bool | None = None


def placement_of(decision: DecisionRecord) -> Placement | None:
    """Return the place that a decision found for its person; None when it was made before the holdout was asked.

    A person whom the policy keeps from every message has no place in the experiment of a rule.
    """
    held_out = decision.reason == Reason.HOLDOUT
    if decision.reason in BEFORE_HOLDOUT or (held_out and decision.detail.get("holdout") == "global"):
        return None
    return Placement(decision.arm, held_out)


def read_placements(queries: Queries, people: Iterable[Person], rules: Iterable[str]) -> dict[Placed, Placement]:
    """Return the place that the first decision under each version of some rules found for each person.

    Args:
        queries: the ClickHouse database with firings and decisions.
        people: the persons.
        rules: the ids of the rules.

    Cost: one query for each group of some hundred people, over their own firings and decisions, found by the key.
    """
    parameters = {"rules": sorted(rules), "before_holdout": list(map(str, BEFORE_HOLDOUT))}
    found: dict[Placed, Placement] = {}
    for person, (rule_id, version, arm, held_out, _) in for_people(
        queries, people, statement("placements"), parameters
    ):
        found.setdefault((rule_id, version, person), Placement(arm, bool(held_out)))
    return found

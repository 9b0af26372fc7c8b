"""What an expression is asked about: a visitor at an instant."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trigger_worker.rules.evaluate.history import History


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A visitor at an instant.

    Args:
        history: the visitor's events; those after `at` are not looked at.
        at: milliseconds since 1970 in UTC.
        facts: what became of a firing's messages, by canonical text such as `opened(email)` and
            `goal_reached`; whatever is not in it is false.
    """

    history: History
    at: int
    facts: Mapping[str, bool] = {}

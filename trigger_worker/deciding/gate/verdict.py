"""The verdict on a message: send, defer or drop, with its reason."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trigger_worker.store.decisions import Decision, Reason


class Verdict(msgspec.Struct, frozen=True):
    """The answer of the gate, or of the message's own rule, for one message.

    Args:
        decision: send, defer or drop.
        reason: the check that decided, or that all passed.
        detail: the values that decided, fit for JSON.
        until_ms: for `defer` the instant to ask again, epoch ms; else None.
    """

    decision: Decision
    reason: Reason
    detail: Mapping[str, object] = {}
    until_ms: int | None = None


def drop(reason: Reason, **detail: object) -> Verdict:
    """Return the verdict that a message is never sent, with the values that decided."""
    return Verdict("drop", reason, detail)

"""The outcome of an import: what was stored, what was not and why, and what of the file could not be read."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Final

import msgspec

from collector.intake.draft import DropReason
from collector.intake.remedies import DROP_REMEDIES, WARNING_REMEDIES

#: The first lines of a file that are shown with number, reason and detail; all are counted.
MOST_EXAMPLES: Final = 10


class LineDrop(StrEnum):
    """Why a line was not stored, beside the reasons of the pipeline: a closed set."""

    CUT_OFF = "cut_off"  #: it ends in the middle, where the file is damaged or over
    NO_ADDRESS = "no_address"  #: a line of a suppression list without an email address
    STILL_SUBSCRIBED = "still_subscribed"  #: a line of a list of members who may be written to
    UNKNOWN_REASON = "unknown_reason"  #: a line of a suppression list whose reason is none that we know


#: What an operator can do about each reason; the detail of an example says more.
REMEDIES: Final[dict[str, str]] = {
    **{str(reason): remedy for reason, remedy in (*WARNING_REMEDIES.items(), *DROP_REMEDIES.items())},
    DropReason.MALFORMED: "mend these lines, and import the file again: nothing is stored twice",
    DropReason.NO_TIMESTAMP: "write times as 2026-11-22T12:00:00Z, or give time_format in a mapping",
    LineDrop.CUT_OFF: "get the file again, and import it again: nothing is stored twice",
    LineDrop.NO_ADDRESS: "give each line an email address",
    LineDrop.STILL_SUBSCRIBED: "nothing: whoever may be written to is not suppressed",
    LineDrop.UNKNOWN_REASON: "nothing: these addresses get no more mail",
}
#: Reasons that are as they should be: the exit status does not tell of them.
_EXPECTED: Final = frozenset({LineDrop.STILL_SUBSCRIBED})


class ImportReport(msgspec.Struct):
    """The outcome of an import.

    Args:
        stored: the number of new events, or of facts of addresses.
        known: the number of events that were stored before, or stood in the file before.
        lines: the number of lines, rows or values that the file holds; blank ones are not counted.
        dropped: the number of lines that are no event, by reason.
        warned: the number of events that are stored, but not as they stand, by reason.
        examples: the first of both, with line number, reason and detail.
        damage: where the file is damaged.
        described: what the file holds, in words.
        are_facts: whether the file is a list of addresses, so that facts of them are stored.
    """

    stored: int = 0
    known: int = 0
    lines: int = 0
    dropped: Counter[str] = msgspec.field(default_factory=Counter)
    warned: Counter[str] = msgspec.field(default_factory=Counter)
    examples: list[str] = []
    damage: list[str] = []
    are_facts: bool = False
    described: str = ""

    @property
    def is_complete(self) -> bool:
        """Tell whether all of the file is stored."""
        return self.lines > 0 and not self.damage and self.dropped.keys() <= _EXPECTED

    def drop(self, number: int, reason: str, detail: str) -> None:
        """Note that a line is not stored.

        Args:
            number: of the line, from 1.
            reason: of `DropReason` or `LineDrop`.
            detail: what is wrong, and where.
        """
        self.dropped[reason] += 1
        self._show(number, reason, detail)

    def note(self, number: int, reason: str, detail: str) -> None:
        """Note that a line could not be read, which nobody has counted."""
        self.lines += 1
        self.drop(number, reason, detail)

    def warn(self, number: int, reason: str, detail: str) -> None:
        """Note that the event of a line is not stored as it stands."""
        self.warned[reason] += 1
        self._show(number, reason, detail)

    def _show(self, number: int, reason: str, detail: str) -> None:
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"line {number}: {reason}: {detail}")

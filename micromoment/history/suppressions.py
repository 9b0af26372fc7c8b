"""Reads lists of addresses that get no more mail, as Klaviyo and Mailchimp export them, as facts of the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from micromoment.history.report import LineDrop
from micromoment.history.table import TableRows
from warehouse.address_ledger import AddressFact, AddressKey, AddressKeys, Fact
from warehouse.addresses import email_address
from warehouse.errors import ConfigurationError
from warehouse.time_reading import event_time

Vendor = Literal["klaviyo", "mailchimp"]
_SOURCE: Final = "import"

#: Names of columns, without case and anything but letters and digits.
_EMAIL: Final = ("email", "emailaddress", "emailadress", "mail", "address")
_REASON: Final = (
    "reason",
    "suppressionreason",
    "suppressedreason",
    "emailsuppressionreason",
    "status",
    "emailmarketingconsent",
    "memberstatus",
)
_TIME: Final = (
    "timestamp",
    "suppressiontimestamp",
    "suppressedat",
    "suppressiondate",
    "date",
    "time",
    "createdat",
    "lastchanged",
)
_UNSUBSCRIBED_AT, _CLEANED_AT = "unsubtime", "cleantime"
#: Columns that only such lists have.
_TELLING: Final = frozenset(
    {"suppressionreason", "suppressedreason", "emailsuppressionreason", "reason", _UNSUBSCRIBED_AT, _CLEANED_AT}
)

#: The fact that each reason gives, by its letters.
REASONS: Final[Mapping[str, Fact | None]] = {
    "unsubscribe": "left",
    "unsubscribed": "left",
    "optout": "left",
    "optedout": "left",
    "neversubscribed": "left",
    "nonsubscribed": "left",
    "bounce": "bounced",
    "bounced": "bounced",
    "hardbounce": "bounced",
    "hardbounced": "bounced",
    "softbounced": "bounced",
    "softbounce": "bounced",
    "invalidemail": "bounced",
    "invalid": "bounced",
    "cleaned": "bounced",
    "spam": "complained",
    "spamcomplaint": "complained",
    "markedasspam": "complained",
    "markedemailasspam": "complained",
    "complaint": "complained",
    "complained": "complained",
    "abuse": "complained",
    "usersuppressed": "refused",
    "manuallysuppressed": "refused",
    "manual": "refused",
    "suppressed": "refused",
    "subscribed": None,
    "pending": None,
}
#: Of a list that gives no reason; and of a reason that is not known, which is noted.
_WITHOUT_REASON: Final[Fact] = "refused"


class Suppression(msgspec.Struct, frozen=True):
    """A line of a list: a fact of an address, or why there is none.

    Args:
        number: of the line.
        fact: of the ledger, None where the line tells of none.
        reason: of `LineDrop`, '' where the line is understood.
        detail: what is wrong.
    """

    number: int
    fact: AddressFact | None
    reason: str = ""
    detail: str = ""


def is_suppression_list(header: Sequence[str]) -> bool:
    """Tell whether a table is such a list, by its columns."""
    names = {_letters(name) for name in header}
    return not names.isdisjoint(_EMAIL) and not names.isdisjoint(_TELLING)


class SuppressionList:
    """A list of addresses that get no more mail.

    Args:
        rows: its rows.
        place: the file, for errors.

    Raises:
        ConfigurationError: it has no column of addresses.
    """

    def __init__(self, rows: TableRows, place: str) -> None:
        names = [_letters(name) for name in rows.header]
        email = _place(names, _EMAIL)
        if email is None:
            raise ConfigurationError(
                f"{place}: no column has email addresses\n  the header is: {', '.join(rows.header)}",
                "name the column `Email` or `Email Address`; a list without a header needs one",
            )
        self._email = email
        self._reason = _place(names, _REASON)
        self._time = _place(names, _TIME)
        self._unsubscribed_at = _place(names, (_UNSUBSCRIBED_AT,))
        self._cleaned_at = _place(names, (_CLEANED_AT,))
        if {self._reason, self._unsubscribed_at, self._cleaned_at} == {None} and "memberrating" in names:
            raise ConfigurationError(
                f"{place}: these are members who may be written to: no column tells why not\n"
                f"  the header is: {', '.join(rows.header)}",
                "import the files of unsubscribed and of cleaned members of the export",
            )
        self._rows = rows

    def described(self) -> str:
        """Return which columns are read, in one line."""
        places = {
            "email": self._email,
            "reason": self._reason,
            "time": self._time,
            "unsubscribed": self._unsubscribed_at,
            "bounced": self._cleaned_at,
        }
        header = self._rows.header
        return ", ".join(f"{header[place]} -> {told}" for told, place in places.items() if place is not None)

    def suppressions(self, keys: AddressKeys, site: str, now_ms: int) -> Iterator[Suppression]:
        """Yield what each line tells.

        Args:
            keys: turns addresses into keys of the ledger.
            site: the site for which it holds.
            now_ms: when a line without a time was said, epoch ms.
        """
        for number, row in self._rows:
            key = keys.of(site, "email", email_address(_cell(row, self._email)))
            yield self._suppression(number, row, key, now_ms)

    def _suppression(self, number: int, row: Sequence[str], key: AddressKey | None, now_ms: int) -> Suppression:
        if key is None:
            return Suppression(number, None, LineDrop.NO_ADDRESS, f"column {self._rows.header[self._email]!r}")
        said, at = self._said(row)
        known = _letters(said)
        if known in REASONS and REASONS[known] is None:
            return Suppression(number, None, LineDrop.STILL_SUBSCRIBED, f"its status is {said[:40]!r}")
        fact = REASONS.get(known) or _WITHOUT_REASON
        unknown = LineDrop.UNKNOWN_REASON if known and known not in REASONS else ""
        moment = event_time(at)
        found = AddressFact(key, fact, now_ms if moment is None else min(moment, now_ms), _SOURCE)
        return Suppression(number, found, unknown, f"{said[:40]!r}: taken for a no to all mail" if unknown else "")

    def _said(self, row: Sequence[str]) -> tuple[str, str]:
        """Return the reason, and when it was."""
        for place, reason in ((self._cleaned_at, "cleaned"), (self._unsubscribed_at, "unsubscribed")):
            if at := _cell(row, place):
                return reason, at
        said = _cell(row, self._reason)
        if not said and (self._cleaned_at is not None or self._unsubscribed_at is not None):
            return "subscribed", ""
        return said, _cell(row, self._time)


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _place(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())

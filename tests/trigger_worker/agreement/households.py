"""Random households: people who share devices, are recognised in the middle, and whose events come twice or late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.trigger_worker.rules.evaluate.generate import INSTANTS, Generator
from tests.trigger_worker.rules.evaluate.reference import Record
from warehouse.vocabulary import COLUMN_FIELDS

#: How long a late event was on its way at most, in units.
LONGEST_DELAY = 10
#: Delays too short to be late by themselves: the event is out of order where something was asked about meanwhile.
SHORT_DELAYS_MS = (1, 700, 4_999)
LATE_SHARE = 0.3
TWICE_SHARE = 0.15


@dataclass(frozen=True)
class Sent:
    """An event with who sent it, and when it was stored (`stored`, on the clock of its `ts`)."""

    record: Record
    device: str
    user: str
    stored: int

    @property
    def visitor(self) -> str:
        return self.user or self.device


class Households:
    """Makes the events of households; those of one have nothing to do with those of another.

    Args:
        generate: makes the events; all households of an example share its unit.
    """

    def __init__(self, generate: Generator) -> None:
        self._generate = generate
        self._random: Random = generate.random

    def recognised_on_the_way(self, number: int) -> list[Sent]:
        """Two devices of two people: each may be recognised, and may be passed on; every event is stored at once."""
        household: list[Sent] = []
        user_of: dict[str, str] = {}
        said: dict[tuple[str, int], str] = {}
        for record in self._records(number):
            device = f"device-{number}-{self._random.choice('ab')}"
            is_said = self._random.random() < (0.5 if record["name"] == "identify" else 0.1)
            user = ""
            if is_said or (device in user_of and self._random.random() < 0.7):
                someone = f"user-{number}-{self._random.choice('xxxy')}" if is_said else user_of[device]
                # Of two words in one instant, none would be the latest.
                user = user_of[device] = said.setdefault((device, record["ts"]), someone)
            household.append(Sent(record, device, user, record["ts"]))
        return [*household, *self._sent_again(household)]

    def known_before(self, number: int) -> list[Sent]:
        """A person whose two devices were recognised before anything else; every event is stored at once."""
        return self._delayed(number, (0,))

    def late(self, number: int) -> list[Sent]:
        """A person whose two devices were recognised before anything else; some events come late, some twice."""
        return self._delayed(number, [units * self._generate.unit for units in range(1, LONGEST_DELAY + 1)])

    def late_or_out_of_order(self, number: int) -> list[Sent]:
        """The same, but some events are late by so little that only their order tells."""
        units = [units * self._generate.unit for units in range(1, LONGEST_DELAY + 1)]
        return self._delayed(number, units + LONGEST_DELAY * list(SHORT_DELAYS_MS))

    def _delayed(self, number: int, delays: Sequence[int]) -> list[Sent]:
        user = f"user-{number}"
        devices = [f"device-{number}-{letter}" for letter in "ab"]
        recognised = [
            Sent({"name": "login", "ts": 0, "id": f"first-{device}", "fields": {}}, device, user, 0)
            for device in devices
        ]
        household = [
            Sent(record, self._random.choice(devices), self._random.choice(["", user]), record["ts"])
            for record in self._records(number)
        ]
        sent = [*household, *self._sent_again(household)]
        return [*recognised, *(replace(one, stored=one.stored + self._delay(delays)) for one in sent)]

    def _records(self, number: int) -> list[Record]:
        """In order of time, no id twice, no field that the collector would not store as it is."""
        made = {record["id"]: record for record in self._generate.events()}
        ordered = sorted(made.values(), key=lambda record: (record["ts"], record["id"]))
        return [{**record, "id": f"{record['id']}-{number}", "fields": _storable(record)} for record in ordered]

    def _delay(self, delays: Sequence[int]) -> int:
        return self._random.choice(delays) if self._random.random() < LATE_SHARE else 0

    def _sent_again(self, household: Sequence[Sent]) -> list[Sent]:
        """A page that got no answer sends the same event once more."""
        return [sent for sent in household if self._random.random() < TWICE_SHARE]


def last_arrival(unit: int) -> int:
    """No event is stored later than this, nor does any wait run out later."""
    return (INSTANTS + 2 * LONGEST_DELAY + 12) * unit


def _storable(record: Record) -> Record:
    return {name: value for name, value in record["fields"].items() if _is_storable(name, value)}


def _is_storable(name: str, value: object) -> bool:
    """A column holds what its type says, and an empty text is no value."""
    match COLUMN_FIELDS.get(name):
        case None:
            return True
        case "text":
            return isinstance(value, str) and value != ""
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)

"""Random disturbances of the live path: what the bus and the journals do with each event, and what befalls the worker.

Whatever they are, everything that happened at an instant is known to the worker `KNOWN_MS` later, before the next
instant: what a worker hears of too late to ask about it in order is another matter (`docs/live.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from random import Random
from typing import Final

from bench.shop import uuid7
from tests.trigger_worker.agreement.households import Sent
from tests.trigger_worker.rules.evaluate.generate import Generator
from tests.trigger_worker.rules.evaluate.reference import DAY, Rule
from tests.trigger_worker.shop import START_MS

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
#: The distances between instants: windows of hours meet in one scale, those of 30 and 400 days in the other.
UNITS: Final = (HOUR, 10 * DAY)
#: So long after its instant an event is known at the latest, ms.
KNOWN_MS: Final = 13_500
#: When an instant is over for the worker: a sweep finds then what is left.
SETTLED_MS: Final = 15_000
#: Each rule's wait ends so much after an instant, by its place: never together with another's, nor with an event.
WAIT_STEP_MS: Final = 30_000
#: Instants at which something may happen, and those after them at which a wait may end, or a message be due.
INSTANTS: Final = 9
AFTERMATH: Final = 5
#: The longest window and wait, in units.
LONGEST: Final = 4


class Crowded(Generator):
    """Makes rules and events as always, on few instants: each of them costs a sweep and more."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.unit = random.choice(UNITS)

    def span(self) -> int:
        """Return a window or a wait."""
        return self.random.randint(1, LONGEST) * self.unit

    def instant(self) -> int:
        """Return when an event happens."""
        return self.random.randrange(INSTANTS) * self.unit


class Kind(Enum):
    """What happens at an instant."""

    HEAR = "the bus brings it"
    STORE = "ClickHouse has it"
    SWEEP = "the worker sweeps"
    MOVE = "the worker's rows go to ClickHouse"
    EVICT = "the person is forgotten"
    EVICT_ALL = "everybody is forgotten"
    HOLD_READING = "the next reading takes its time"
    HOLD_BEFORE = "the disk takes its time"
    HOLD_AFTER = "the disk's answer takes its time"
    REFUSE = "the disk refuses"
    RELEASE = "all goes on"
    KILL = "the worker is killed, and another starts"


@dataclass(frozen=True, eq=False)
class Batch:
    """What a household's pages sent together.

    Args:
        number: the household.
        sents: its events, of one instant.
        accepted: when the collector had them on disk, ms after the start.
    """

    number: int
    sents: tuple[Sent, ...]
    accepted: int


@dataclass(frozen=True)
class Action:
    """Something that happens, `at` ms after the start."""

    at: int
    kind: Kind
    batch: Batch | None = None
    visitor: str = ""


@dataclass(frozen=True)
class Plan:
    """What happens, in order.

    Args:
        actions: in order of time.
        is_alone: collector and worker are one process: after a kill, the journal of both goes to ClickHouse first.
        max_bytes: the room for people in memory.
    """

    actions: Sequence[Action]
    is_alone: bool = True
    max_bytes: int = 512 * 1024**2

    def of(self, visitors: Iterable[str]) -> Iterator[str]:
        """Yield, to read, what happens to some visitors, and to all."""
        theirs = set(visitors)
        for action in self.actions:
            if action.batch is None and action.visitor in {"", *theirs}:
                if action.kind is not Kind.SWEEP:
                    yield f"{action.at:>12} {action.kind.value} {action.visitor}"
            elif action.batch is not None and theirs & {sent.visitor for sent in action.batch.sents}:
                ids = ", ".join(sent.record["id"] for sent in action.batch.sents)
                yield f"{action.at:>12} {action.kind.value}: {ids} (accepted {action.batch.accepted})"


def waits_apart(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return rules whose waits never end together, nor at the instant of an event."""
    made = {}
    for place, (rule_id, rule) in enumerate(rules.items()):
        if rule.absence is not None:
            which, wait = rule.absence
            rule = replace(rule, absence=(which, wait + (place + 1) * WAIT_STEP_MS))  # noqa: PLW2901
        made[rule_id] = rule
    return made


def with_ids(random: Random, household: Sequence[Sent]) -> list[Sent]:
    """Return a household some of whose devices have ids that our own pages would make."""
    first: dict[str, int] = {}
    for sent in household:
        first[sent.device] = min(sent.record["ts"], first.get(sent.device, sent.record["ts"]))
    ids = {
        device: uuid7(START_MS + at - 300, random.randrange(1 << 40)) if random.random() < 0.5 else device
        for device, at in first.items()
    }
    return [replace(sent, device=ids[sent.device]) for sent in household]


class Disturbances:
    """Makes plans for households.

    Args:
        generate: made rules and households.
        households: each stores its events when they happen.
        rules: by id.
        later_ms: after each instant, when messages that were put off are decided on.
    """

    def __init__(
        self,
        generate: Crowded,
        households: Sequence[Sequence[Sent]],
        rules: Mapping[str, Rule],
        later_ms: Sequence[int],
    ) -> None:
        self._random = generate.random
        self._unit = generate.unit
        self._households = households
        self._later_ms = later_ms
        self._waits = [rule.absence[1] for rule in rules.values() if rule.absence is not None]

    def none(self) -> Plan:
        """Return the plan of one process that nothing befalls."""
        actions = [Action(at, Kind.SWEEP) for at in self.ticks()]
        for batch in self._batches():
            actions += [Action(batch.accepted, Kind.HEAR, batch), Action(batch.accepted + 100, Kind.STORE, batch)]
        return Plan(_ordered([*actions, *(replace(each, at=each.at - 1, kind=Kind.MOVE) for each in actions[:])]))

    def some(self, *, is_joined_first: bool) -> Plan:
        """Return a random plan.

        Args:
            is_joined_first: every household's ids were joined before anything else.
        """
        random, is_alone = self._random, self._random.random() < 0.5
        actions = [Action(at, Kind.SWEEP) for at in self.ticks()]
        # A wait is found in ClickHouse, so that its answer would come hours late, and after others.
        may_lag = is_alone and is_joined_first and self._unit < DAY and not self._waits
        for batch in self._batches():
            late = replace(batch, accepted=batch.accepted + self._delay())
            actions += self._ways(late, may_lag=may_lag)
        for instant in range(INSTANTS + AFTERMATH):
            actions += self._troubles(instant * self._unit)
        return Plan(_ordered(actions), is_alone, random.choice([30_000, 512 * 1024**2]))

    def ticks(self) -> list[int]:
        """Return when the worker sweeps in any case: when all of an instant or of a wait is known, and later."""
        instants = {sent.record["ts"] for household in self._households for sent in household}
        known = instants | {instant + wait for instant in instants for wait in self._waits}
        units = [instant * self._unit for instant in range(INSTANTS + AFTERMATH)]
        later = {unit + after for unit in units for after in self._later_ms}
        return sorted({each + SETTLED_MS for each in known} | later)

    def ticks_of(self, household: Sequence[Sent]) -> list[int]:
        """Return the ticks at which something about a household may be answered."""
        instants = {sent.record["ts"] for sent in household}
        return sorted(each + SETTLED_MS for each in instants | {one + wait for one in instants for wait in self._waits})

    def _batches(self) -> Iterator[Batch]:
        for number, household in enumerate(self._households):
            for instant in sorted({sent.record["ts"] for sent in household}):
                sents = tuple(sent for sent in household if sent.record["ts"] == instant)
                yield Batch(number, sents, instant)

    def _delay(self) -> int:
        """Return how long an event was on its way; later than 5 s, `every` has a meaning of its own."""
        return self._random.choice([0, 0, 1, 40, 300, 300, self._until(4_900), self._until(4_900)])

    def _until(self, most: int) -> int:
        return self._random.randrange(most)

    def _ways(self, batch: Batch, *, may_lag: bool) -> list[Action]:
        """Return what the bus and the journal do with a batch."""
        random, at = self._random, batch.accepted
        end = batch.sents[0].record["ts"] + KNOWN_MS
        soon = [min(end, at + random.choice([0, 0, 1, 30, self._until(4_000), self._until(12_000)])) for _ in range(3)]
        hours = at + random.choice([20_000, 3 * MINUTE, self._unit + 500, 2 * self._unit])
        stored = random.choice(soon)
        match random.choice(
            ["plain", "plain", "plain", "lost", "lost", "doubled", "again", "after", "delayed", "lagging"]
        ):
            case "plain":
                heard = [at]
            case "lost":
                heard = []
            case "doubled":
                heard = soon[:2]
            case "again":
                heard = [at, hours]
            case "after":
                heard = [hours]
            case "lagging" if may_lag:
                heard, stored = soon[:1], at + random.randrange(1, 4) * self._unit + 700
            case _:
                heard = [soon[0]]
        return [Action(stored, Kind.STORE, batch), *(Action(each, Kind.HEAR, batch) for each in heard)]

    def _troubles(self, instant: int) -> Iterator[Action]:
        """Yield what befalls the worker about an instant."""
        random = self._random
        for _ in range(random.choice([0, 1, 1, 2])):
            yield Action(instant + self._until(KNOWN_MS), Kind.SWEEP)
        for _ in range(random.choice([0, 0, 1])):
            yield Action(instant + self._until(KNOWN_MS), Kind.MOVE)
        if random.random() < 0.4:
            victim = random.choice([sent.visitor for household in self._households for sent in household])
            yield Action(instant + self._until(KNOWN_MS), Kind.EVICT, visitor=victim)
        if random.random() < 0.1:
            yield Action(instant + self._until(KNOWN_MS), Kind.EVICT_ALL)
        if random.random() < 0.35:
            begin = instant + self._until(3_500)
            yield Action(begin, random.choice([Kind.HOLD_READING, Kind.HOLD_BEFORE, Kind.HOLD_AFTER, Kind.REFUSE]))
            yield Action(begin + 1 + self._until(3_000), Kind.RELEASE)
        if random.random() < 0.15:
            yield Action(instant + random.choice([self._until(7_000), self._until(KNOWN_MS), 6 * MINUTE]), Kind.KILL)
        # Where the disk refused, messages are put off for some seconds; and nothing moves for longer than an instant.
        yield Action(instant + KNOWN_MS + 200, Kind.RELEASE)
        yield Action(instant + KNOWN_MS + 500, Kind.SWEEP)
        yield Action(instant + KNOWN_MS + 600, Kind.MOVE)


def _ordered(actions: Iterable[Action]) -> list[Action]:
    return sorted(actions, key=lambda action: action.at)

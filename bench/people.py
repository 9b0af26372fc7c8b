"""Benchmark of the memory of people: what a person and an event take, and a day of a million visitors.

Each figure is the growth of a process of its own, as the system counts its anonymous memory: it has the overhead of all
that people need in it. The rules are asked, so that what they remember of a history counts, too.
"""

from __future__ import annotations

import gc
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from bench.shop import CATEGORIES, SITE, uuid7, write_rules
from trigger_worker.live.candidates import Candidate
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.turn import turn
from trigger_worker.people.arrival import Arrival, accepted
from trigger_worker.people.memory import DEFAULT_BYTES, People
from trigger_worker.rules.files.folder import RuleFolder
from warehouse.event import EventRow, format_time

RULES: Final = 100
START_MS: Final = 1_795_345_200_000
#: People, events of each, and what of it is told: the same number of events, on ever fewer people.
SHAPES: Final = ((40_000, 1), (4_000, 10), (400, 100), (40, 1_000))
DAY_VISITORS: Final = 1_000_000
DAY_EVENTS: Final = 2
DAY_MS: Final = 86_400_000
#: Between two looks at the memory of the process.
LOOK_EACH: Final = 10_000


class Taken(msgspec.Struct, frozen=True):
    """What people took.

    Args:
        grown: how much the memory grew, in bytes, at most.
        counted: the part of it that is counted against `people_max_bytes`.
        people: how many were in memory in the end.
        evicted: how many were forgotten to make room.
        seconds: how long it took.
    """

    grown: int
    counted: int
    people: int
    evicted: int
    seconds: float


def measure() -> list[str]:
    """Return the bytes of people with few and with many events, then those of a day of very many people."""
    return [*map(_shape_line, SHAPES), _day_line()]


def _shape_line(shape: tuple[int, int]) -> str:
    people, events = shape
    taken = _apart(_keep, (people, events, DEFAULT_BYTES * 100))
    each = taken.grown / people
    ratio = taken.counted / taken.grown
    return f"people: {events} events each: {each:.0f} bytes a person, {each / events:.0f} an event; counted {ratio:.2f}"


def _day_line() -> str:
    taken = _apart(_keep, (DAY_VISITORS, DAY_EVENTS, DEFAULT_BYTES))
    mib = 1024**2
    return (
        f"people: a day of {DAY_VISITORS:,} visitors, {DAY_EVENTS} events each: grown by {taken.grown / mib:.0f} MiB"
        f" at most, {DEFAULT_BYTES / mib:.0f} MiB allowed; {taken.people:,} people in memory,"
        f" {taken.evicted:,} forgotten, {taken.seconds / DAY_VISITORS / DAY_EVENTS * 1e6:.0f} us an event"
    )


def _apart(work: object, arguments: tuple[int, int, int]) -> Taken:
    """Do something in a process of its own, whose memory nobody used before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        taken: Taken = pool.apply(work, arguments)  # type: ignore[arg-type]  # any function of a module
    return taken


def _keep(visitors: int, events: int, max_bytes: int) -> Taken:
    """Let visitors come one after another over a day, each with some events, a second apart."""
    rules, people = _rules(), People(max_bytes, START_MS - 1)
    people.look_at(rules.scope)
    before, most, evicted, began = _memory(), 0, 0, time.monotonic()
    for number in range(visitors):
        now_ms = START_MS + number * DAY_MS // visitors
        arrivals = list(_events(number, now_ms, events))
        for one in arrivals:
            _ask(rules, people, one)
        # The feed tells of them, and they are forgotten as far as they are not a person's.
        people.events.tell([one.key for one in arrivals], now_ms)
        people.make_room(now_ms)
        evicted += people.take_evicted()
        if number % LOOK_EACH == 0:
            most = max(most, _memory())
    people.events.tell([], START_MS + 2 * DAY_MS)
    seconds = time.monotonic() - began
    return Taken(max(most, _memory()) - before, people.size, len(people), evicted, seconds)


def _ask(rules: LiveRules, people: People, one: Arrival) -> None:
    now_ms = one.event.ts
    state = people.find_or_bear(one.visitor, now_ms)
    if state is None:
        message = "a visitor of the benchmark is not newborn"
        raise ValueError(message)
    people.events.add(one)
    people.take(state, [one])
    people.events.handle(one.key)
    asked = rules.completed_by(one.event.name)
    if asked:
        turn({state: Candidate(now_ms, asked)}, rules.completions, now_ms)


def _events(number: int, born_at: int, count: int) -> Iterator[Arrival]:
    """Yield what a page tells of a visitor, with the fields that pages send, as the bus brings it."""
    visitor = uuid7(born_at, number)
    for place in range(count):
        at = born_at + place * 1000
        product = number * 7 + place
        row = EventRow(
            site=SITE,
            event=("page_view", "view_item", "add_to_cart")[place % 3],
            type="track",
            event_id=uuid7(at, product),
            visitor_id=visitor,
            anonymous_id=visitor,
            user_id="",
            source="live",
            ts=format_time(at),
            received_at=format_time(at),
            product_id=f"p{product % 500}",
            name=f"Product {product % 500}",
            category=f"c{product % CATEGORIES}",
            price=float(product % 1000),
            value=float(product % 1000),
            path=f"/c{product % CATEGORIES}/{product % 50}",
            device="mobile",
            timezone="Europe/Berlin",
            props='{"colour": "red", "size": 42}',
        )
        # A message of its own: nothing of it is shared with another event.
        yield accepted(msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=EventRow), at)


def _rules() -> LiveRules:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rules(folder / "rules", RULES)
        rule_set = RuleFolder(folder / "rules", folder / "audiences.yaml").refresh()
    return LiveRules(rule_set.unpaused, rule_set.audiences)


def _memory() -> int:
    """Return the anonymous memory of this process, in bytes."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024

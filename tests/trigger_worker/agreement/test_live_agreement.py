"""What the worker stores, over ClickHouse and tick by tick, is what the language says, for each rule and person.

An example asks every rule of everybody: two thousand pairs of rule and household.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.agreement.answers import Answer, Answers
from tests.trigger_worker.agreement.households import Households, Sent, last_arrival
from tests.trigger_worker.agreement.live import play, replay
from tests.trigger_worker.rules.evaluate.generate import Generator
from tests.trigger_worker.rules.evaluate.reference import Rule
from trigger_worker.live import feed_events, side_lane, turn
from warehouse.connection import Warehouse

HOUSEHOLDS = 80
RULES = 25
TICKS = 16
PATIENCE_SECONDS = 120

#: Seeded by hypothesis, so a failure names the seed; a case is far too big to be made smaller by steps.
randoms = st.randoms(use_true_random=True)
#: One example is much; it begins with empty tables and a folder of its own.
one = settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_folders = count()


class Example:
    """Rules, households, and when the worker ticks."""

    def __init__(self, random: Random, household: Callable[[Households, int], list[Sent]]) -> None:
        generate = Generator(random)
        self.rules: dict[str, Rule] = {f"rule-{number}": generate.rule() for number in range(RULES)}
        self.households = [household(Households(generate), number) for number in range(HOUSEHOLDS)]
        self.sents = [sent for household in self.households for sent in household]
        end = last_arrival(generate.unit)
        #: At some instants, at some between two, and once when everything is over.
        self.ticks = [*sorted(random.sample(range(0, end, generate.unit // 2), TICKS)), end]
        self.restarts = random.sample(self.ticks, 3)
        self.answers = Answers(self.rules)

    def stored(self, warehouse: Warehouse, folder: Path, restarts: Sequence[int]) -> list[Answer]:
        here = folder / f"{next(_folders)}"
        here.mkdir()
        playing = play(warehouse, here, self.rules, self.sents, self.ticks, restarts)
        # A worker waits for ClickHouse as long as it takes; a test does not.
        return sorted(asyncio.run(asyncio.wait_for(playing, PATIENCE_SECONDS)))


@given(randoms)
@one
def test_firings_are_those_of_the_language_whoever_is_recognised_and_whenever_the_worker_restarts(
    warehouse: Warehouse, tmp_path: Path, random: Random
) -> None:
    example = Example(random, Households.recognised_on_the_way)
    stored = example.stored(warehouse, tmp_path, example.restarts)
    said = [answer for household in example.households for answer in example.answers.live(household, example.ticks)]
    assert stored == sorted(said)
    replayed = [answer for household in example.households for answer in example.answers.replayed(household)]
    assert sorted(replay(warehouse, example.rules, example.ticks[-1])) == sorted(replayed)


@given(randoms)
@one
def test_late_events_make_every_match_that_there_was_not(warehouse: Warehouse, tmp_path: Path, random: Random) -> None:
    example = Example(random, Households.late)
    stored = example.stored(warehouse, tmp_path, ())
    said = [
        answer
        for household in example.households
        for answer in example.answers.live(household, example.ticks, again=True)
    ]
    assert stored == sorted(said)


@given(randoms)
@one
def test_firings_are_the_same_where_nearly_everybody_is_asked_about_apart_a_portion_at_a_time(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random: Random
) -> None:
    monkeypatch.setattr(turn, "BUDGET", 20)
    monkeypatch.setattr(turn, "_PORTION", 1)
    monkeypatch.setattr(feed_events, "PORTION", 1)
    monkeypatch.setattr(side_lane, "MAX_REWRITTEN", 2)
    example = Example(random, Households.late)
    stored = example.stored(warehouse, tmp_path, ())
    said = [
        answer
        for household in example.households
        for answer in example.answers.live(household, example.ticks, again=True)
    ]
    assert stored == sorted(said)


@given(randoms)
@one
def test_late_events_lose_no_firing_of_a_replay_in_order_and_invent_none(
    warehouse: Warehouse, tmp_path: Path, random: Random
) -> None:
    """A wait may be over later than that of an event in time, with more known by then.

    So is the wait of an event that was no more than a little late, and, after a restart, that of any late one.
    """
    example = Example(random, Households.late_or_out_of_order)
    stored = example.stored(warehouse, tmp_path, example.restarts)
    assert len(stored) == len(set(stored))
    for household in example.households:
        example.answers.require_complete(household, stored, example.ticks)

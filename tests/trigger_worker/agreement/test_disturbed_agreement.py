"""Whatever befalls bus, journals and worker, what fires is what the language says, and is decided on as if nothing had.

A case is one household with what happens to its events; an example is a shop full of them, to which the same worker
dies. `PROOF_EXAMPLES` asks for more than the one example of a usual run, for each engine and kind of household.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.trigger_worker.agreement.answers import Answer, Answers
from tests.trigger_worker.agreement.disturbances import (
    AFTERMATH,
    INSTANTS,
    Crowded,
    Disturbances,
    Plan,
    waits_apart,
    with_ids,
)
from tests.trigger_worker.agreement.disturbed import DisturbedShop, Outcome
from tests.trigger_worker.agreement.households import Households, Sent
from tests.trigger_worker.agreement.live import replay, rule_text
from tests.trigger_worker.agreement.sends import HOOK, Sends
from tests.trigger_worker.rules.evaluate.reference import Rule
from warehouse.connection import Warehouse

HOUSEHOLDS: Final = 30
RULES: Final = 8
#: The share of examples none of whose rules waits: in these, events may reach ClickHouse hours after the bus.
WITHOUT_WAITS: Final = 0.4
EXAMPLES: Final = int(os.environ.get("PROOF_EXAMPLES", "1"))

#: Seeded by hypothesis, so a failure names the seed; a case is far too big to be made smaller by steps.
randoms = st.randoms(use_true_random=True)
examples = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)

_folders = count()


class Story:
    """Rules, what they send, households, and what befalls them."""

    def __init__(self, random: Random, kind: str) -> None:
        generate = Crowded(random)
        rules = [generate.rule() for _ in range(RULES)]
        if random.random() < WITHOUT_WAITS:
            rules = [replace(rule, absence=None) for rule in rules]
        self.rules: dict[str, Rule] = waits_apart({f"rule-{number}": rule for number, rule in enumerate(rules)})
        make = getattr(Households(generate), kind)
        self.households: list[list[Sent]] = [with_ids(random, make(number)) for number in range(HOUSEHOLDS)]
        sends = Sends(generate)
        self.policy = sends.policy()
        self.texts = {rule_id: rule_text(rule) + sends.of_a_rule() for rule_id, rule in self.rules.items()}
        self.disturbances = Disturbances(generate, self.households, self.rules, sends.later_ms)
        self.plan = self.disturbances.some(is_joined_first=kind == "known_before")
        self.end = (INSTANTS + AFTERMATH) * generate.unit

    def outcome(self, warehouse: Warehouse, folder: Path, plan: Plan) -> Outcome:
        here = folder / f"{next(_folders)}"
        here.mkdir()
        disturbed = DisturbedShop(warehouse, here, plan)
        disturbed.shop.write("templates/hook.webhook.json", HOOK)
        disturbed.shop.write("policy.yaml", self.policy)
        for rule_id, text in self.texts.items():
            disturbed.shop.rule(rule_id, text)
        return asyncio.run(disturbed.run())

    def said(self) -> list[Answer]:
        """Return every firing of a worker that hears of everything at once."""
        answers = Answers(self.rules)
        return sorted(
            answer
            for household in self.households
            for answer in answers.live(household, self.disturbances.ticks_of(household))
        )

    def replayed(self) -> list[Answer]:
        """Return every firing of a replay, with people as they are known in the end."""
        answers = Answers(self.rules)
        return sorted(answer for household in self.households for answer in answers.replayed(household))

    def tell(self, visitor: str) -> str:
        """Return, to read, what a household did and what befell it."""
        theirs = next(each for each in self.households if any(visitor in {one.user, one.device} for one in each))
        ids = {known for one in theirs for known in (one.user, one.device) if known}
        events = [f"{one.stored:>12} {one.device} {one.user} {one.record}" for one in theirs]
        return "\n".join([*events, *self.plan.of(ids)])


def require_same(story: Story, firings: Iterable[Answer], said: Iterable[Answer]) -> None:
    """Check that each firing is there as often as it is said to be."""
    stored, expected = Counter(firings), Counter(said)
    for answer in (stored - expected) | (expected - stored):
        rule, visitor, _, _ = answer
        is_missing = expected[answer] > stored[answer]
        what = f"{answer} is {'missing' if is_missing else 'too much'}\n{story.texts[rule]}"
        raise AssertionError(f"{what}\n{story.tell(visitor)}")


def require_alike(calm: Mapping[Any, Any], rough: Mapping[Any, Any]) -> None:
    """Check that messages met the same fate."""
    differences = {key: (calm.get(key), rough.get(key)) for key in calm.keys() | rough.keys()}
    assert {key: pair for key, pair in differences.items() if pair[0] != pair[1]} == {}


def require_as_if_calm(calm: Outcome, rough: Outcome) -> None:
    """Check that the same messages came to the same verdicts and states, and that nobody got one twice."""
    require_alike(calm.verdicts, rough.verdicts)
    require_alike(calm.states, rough.states)
    banners = {key: times for key, times in rough.sent.items() if key[0] == "banner"}
    assert set(banners.values()) <= {1}
    # A banner that is stored when its worker dies is not pushed: pages get it when they ask. A peer of webhooks knows
    # messages by their ids: it may be told again, of each that it is told of on a calm day.
    assert rough.sent.keys() <= calm.sent.keys()
    webhooks = {key for key in calm.sent if key[0] == "webhook"}
    assert webhooks <= rough.sent.keys()


@given(randoms)
@examples
def test_whatever_befalls_bus_journals_and_worker_fires_is_what_a_backtest_says_and_decided_as_if_nothing_had(
    warehouse: Warehouse, tmp_path: Path, random: Random
) -> None:
    story = Story(random, "known_before")
    calm = story.outcome(warehouse, tmp_path, story.disturbances.none())
    rough = story.outcome(warehouse, tmp_path, story.plan)
    replayed = replay(warehouse, story.rules, story.end)
    require_same(story, replayed, story.said())
    require_same(story, calm.firings, replayed)
    require_same(story, rough.firings, replayed)
    require_as_if_calm(calm, rough)


@given(randoms)
@examples
def test_whatever_befalls_them_who_is_recognised_on_the_way_is_answered_as_known_by_then(
    warehouse: Warehouse, tmp_path: Path, random: Random
) -> None:
    """A replay knows from the start who is who, so it may have firings that nobody could know of then."""
    story = Story(random, "recognised_on_the_way")
    calm = story.outcome(warehouse, tmp_path, story.disturbances.none())
    rough = story.outcome(warehouse, tmp_path, story.plan)
    require_same(story, calm.firings, story.said())
    require_same(story, rough.firings, story.said())
    require_as_if_calm(calm, rough)
    require_same(story, replay(warehouse, story.rules, story.end), story.replayed())

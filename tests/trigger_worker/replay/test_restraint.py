"""What caps and quiet hours would have made of one visitor's messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trigger_worker.rules.evaluate.support import NOON, ms, rule
from tests.trigger_worker.stored import person
from trigger_worker.deciding.gate.checks import caps as gate_caps
from trigger_worker.deciding.gate.facts import MessageFacts
from trigger_worker.deciding.gate.policy import Cap, MessageKind, Policy
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.replay.restraint import (
    CapCount,
    Kind,
    RestraintOutcome,
    messages_of,
    only_restraint,
    simulate_restraint,
)
from trigger_worker.rules.evaluate.selected import Series
from trigger_worker.store.sent import SentMessage

UTC = Series([(0, "UTC")])
BANNER = "when: hover\nsend:\n  - banner: hello"
FREE, CAPPED, QUIET = (False, False), (True, False), (False, True)


def restrained(policy: str, text: str, *after: str, reached_at: str = "9999h") -> list[tuple[bool, bool]]:
    """What became of the messages of firings some time after noon."""
    fired = rule(text)
    reached = NOON + ms(reached_at)
    asked = [message for each in after for message in messages_of(fired, NOON + ms(each), reached, UTC)]
    found = simulate_restraint(asked, only_restraint(read_policy(policy)), person("anna"), UTC)
    return [(one.capped, one.quieted) for one in found]


@pytest.mark.parametrize(
    ("policy", "after", "expected"),
    [
        ("", ["0s", "1s"], [FREE, FREE]),
        ("caps: [{channel: banner, max: 1, per: 1h}]", ["0s", "59m", "60m"], [FREE, CAPPED, FREE]),
        ("caps: [{channel: email, max: 1, per: 1h}]", ["0s", "1s"], [FREE, FREE]),
        ("quiet: {banner: 12:30-13:00}", ["29m", "30m", "1h"], [FREE, QUIET, FREE]),
        ("quiet: {banner: 12:30-13:00}\ncaps: [{max: 1, per: 1h}]", ["30m", "1h"], [FREE, (True, True)]),
        ("gap: {banner: 30s}", ["0s", "1s"], [FREE, FREE]),
        ("gap: {banner: 30s}\ncaps: [{max: 2, per: 40s}]", ["0s", "1s", "2s"], [FREE, FREE, CAPPED]),
        ("holdout: 100%\nfatigue: {ignored: 1, rest: 1d}", ["0s", "1s"], [FREE, FREE]),
    ],
)
def test_messages_are_judged_in_the_order_in_which_they_are_due(
    policy: str, after: list[str], expected: list[tuple[bool, bool]]
) -> None:
    assert sorted(restrained(policy, BANNER, *after)) == sorted(expected)


def test_transactional_messages_pass() -> None:
    policy = "quiet: {banner: 11:00-13:00}\ncaps: [{max: 1, per: 1h}]"
    assert restrained(policy, f"{BANNER}\nclass: transactional", "0s", "1s") == [FREE, FREE]


def test_a_goal_that_is_reached_ends_what_is_still_to_be_sent() -> None:
    text = f"{BANNER}\n    after: 2h"
    assert restrained("quiet: {banner: 13:00-20:00}", text, "0s", reached_at="1h") == [FREE]
    assert restrained("quiet: {banner: 13:00-20:00}", text, "0s") == [QUIET]


def test_a_message_that_would_be_worth_nothing_after_quiet_hours_counts_as_held_back() -> None:
    assert restrained("quiet: {banner: 11:00-20:00}", f"{BANNER}\nttl: 1h", "0s") == [QUIET]


def test_a_time_of_day_moves_a_message_and_its_end() -> None:
    (asked,) = messages_of(rule(f'{BANNER}\n    at: "18:00"\nttl: 1h'), NOON, None, UTC)
    assert (asked.due_at, asked.expires_at) == (NOON + ms("6h"), NOON + ms("7h"))


def test_each_message_names_its_rule() -> None:
    asked = messages_of(rule(f"id: lingers\n{BANNER}"), NOON, None, UTC)
    found = simulate_restraint(asked, only_restraint(read_policy("")), person("anna"), UTC)
    assert found == [RestraintOutcome("lingers", capped=False, quieted=False)]


CHANNELS = st.sampled_from(["", "email", "banner"])
TAGS = st.sampled_from(["", "discount", "news"])
CLASSES = st.sampled_from([None, "marketing", "transactional"])

message_kinds = st.builds(MessageKind, channel=CHANNELS, tag=TAGS, without=TAGS, message_class=CLASSES)
some_caps = st.lists(
    st.builds(Cap, max=st.integers(0, 3), per_ms=st.integers(1, 20), obeys=message_kinds, counts=message_kinds),
    max_size=3,
)
kinds = st.tuples(
    st.sampled_from(["email", "banner"]),
    st.sets(st.sampled_from(["discount", "news"])).map(lambda tags: tuple(sorted(tags))),
    st.sampled_from(["marketing", "transactional"]),
)
#: How long after the one before it each message comes.
messages = st.lists(st.tuples(st.integers(0, 8), kinds), max_size=30)


def stopped_by_the_gate(kind: Kind, sent: list[tuple[int, Kind]], caps: list[Cap], now_ms: int) -> bool:
    channel, tags, message_class = kind
    facts = MessageFacts(
        site="shop",
        message_id="m",
        visitor_id="anna",
        channel=channel,
        rule="r",
        expires_at_ms=now_ms + 1,
        message_class=message_class,
        tags=frozenset(tags),
        history=tuple(
            SentMessage(channel=one[0], rule="r", at_ms=at, tags=frozenset(one[1]), message_class=one[2])
            for at, one in sent
        ),
    )
    return gate_caps(facts, Policy(caps=tuple(caps)), now_ms) is not None


@given(some_caps, messages)
def test_each_message_is_stopped_as_by_the_gate(caps: list[Cap], asked: list[tuple[int, Kind]]) -> None:
    counted = CapCount(caps)
    sent: list[tuple[int, Kind]] = []
    now_ms = 0
    for later_ms, kind in asked:
        now_ms += later_ms
        stops = counted.stop(kind, now_ms)
        assert stops == stopped_by_the_gate(kind, sent, caps, now_ms)
        if not stops:
            counted.add(kind, now_ms)
            sent.append((now_ms, kind))

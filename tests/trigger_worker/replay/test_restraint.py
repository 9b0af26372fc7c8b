"""What caps and quiet hours would have made of one visitor's messages."""

from __future__ import annotations

import pytest

from tests.trigger_worker.rules.evaluate.support import NOON, ms, rule
from tests.trigger_worker.stored import person
from trigger_worker.deciding.gate.policy_file import read_policy
from trigger_worker.replay.restraint import Restrained, messages_of, only_restraint, restrain
from trigger_worker.rules.evaluate.history import Series

UTC = Series([0], ["UTC"])
BANNER = "when: hover\nsend:\n  - banner: hello"
FREE, CAPPED, QUIET = (False, False), (True, False), (False, True)


def restrained(policy: str, text: str, *after: str, reached_at: str = "9999h") -> list[tuple[bool, bool]]:
    """What became of the messages of firings some time after noon."""
    fired = rule(text)
    reached = NOON + ms(reached_at)
    asked = [message for each in after for message in messages_of(fired, NOON + ms(each), reached, UTC)]
    found = restrain(asked, only_restraint(read_policy(policy)), person("anna"), UTC)
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
    found = restrain(asked, only_restraint(read_policy("")), person("anna"), UTC)
    assert found == [Restrained("lingers", capped=False, quieted=False)]

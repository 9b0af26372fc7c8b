"""Messages of one firing go out one after another."""

from __future__ import annotations

import pytest

from tests.trigger_worker.stored import queued
from trigger_worker.deciding.sequence.turns import take_turns


@pytest.mark.parametrize(
    ("due", "under_way", "turn", "waiting"),
    [
        ([], [], [], []),
        (["a1", "b1"], [], ["a1", "b1"], []),
        (["a1", "a2", "b1", "a3"], [], ["a1", "b1"], ["a2", "a3"]),
        (["a1", "b1"], ["a0"], ["b1"], ["a1"]),
        (["a1", "b1"], ["a0", "b0"], [], ["a1", "b1"]),
    ],
)
def test_the_first_of_each_firing_goes_unless_another_of_it_is_under_way(
    due: list[str], under_way: list[str], turn: list[str], waiting: list[str]
) -> None:
    taken, left = take_turns(
        [queued(name, fire_id=name[0]) for name in due], [queued(name, fire_id=name[0]) for name in under_way]
    )
    assert [message.message_id for message in taken] == turn
    assert [message.message_id for message in left] == waiting

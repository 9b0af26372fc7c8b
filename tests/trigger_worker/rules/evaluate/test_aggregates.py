"""A window that slides has the aggregate of its values, wherever it was before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.rules.evaluate.aggregates import AGGREGATES, SMALL_WINDOW
from trigger_worker.rules.evaluate.event import Value

NUMBERS = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.1, 0.2, 0.3, 1e16, -1e16, 1e290, 1e308, -1e308, 5e-324]),
)
VALUES = st.lists(st.one_of(NUMBERS, st.none(), st.booleans(), st.sampled_from(["", "1", "a"])), max_size=400)
#: How far both ends move with each look; less than 0 is a look back.
STEPS = st.lists(st.tuples(st.integers(-40, 200), st.integers(-40, 200)), max_size=12)


@pytest.mark.parametrize("function", AGGREGATES)
@given(values=VALUES, steps=STEPS)
def test_a_window_has_the_aggregate_of_its_values(
    function: str, values: Sequence[Value], steps: Sequence[tuple[int, int]]
) -> None:
    aggregate, whole = AGGREGATES[function](values), AGGREGATES[function]([])
    first = end = 0
    for first_by, end_by in [(0, SMALL_WINDOW + 40), *steps]:
        first = min(max(0, first + first_by), len(values))
        end = min(max(first, end + end_by), len(values))
        assert aggregate.of(first, end) == whole.whole(values[first:end])


@pytest.mark.parametrize("function", AGGREGATES)
def test_what_left_the_window_leaves_no_trace(function: str) -> None:
    gone: list[Value] = [1e16, 1.0, True, "a"]
    values = [*gone * 50, *[0.1] * (SMALL_WINDOW + 1)]
    aggregate = AGGREGATES[function](values)
    for first in range(201):
        found = aggregate.of(first, len(values))
    assert found == AGGREGATES[function]([]).whole([0.1] * (SMALL_WINDOW + 1))


class Watched(list[Value]):
    """Values that count how often they are read."""

    reads = 0

    def __getitem__(self, place: Any) -> Any:
        self.reads += len(range(*place.indices(len(self)))) if isinstance(place, slice) else 1
        return super().__getitem__(place)


@pytest.mark.parametrize("function", AGGREGATES)
def test_a_window_that_slides_forward_reads_each_value_when_it_comes_and_when_it_goes(function: str) -> None:
    values = Watched(float(number % 97) for number in range(5_000))
    aggregate = AGGREGATES[function](values)
    for end in range(SMALL_WINDOW + 1, len(values) + 1):
        aggregate.of(max(0, end - 3_000), end)
    assert values.reads <= 2 * len(values)

"""Aggregate the values of events in a window that mostly slides forward, at a cost that does not grow with the window.

A visitor with ten thousand views asks for the same aggregate ten thousand times, a little later each time. A large
window is therefore not summed up anew: the values that entered it are added, and those that left it are removed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from math import fsum
from typing import Final

from trigger_worker.rules.evaluate.event import Value

#: Windows of up to so many values are aggregated anew: for these that is faster than keeping count.
SMALL_WINDOW: Final = 64
#: Every float is a multiple of the smallest, which is 1 by 2 to the power of this.
_SMALLEST_BITS: Final = 1074
_SMALLEST_DIVISOR: Final = 1 << _SMALLEST_BITS


class WindowAggregate(ABC):
    """The aggregate of a slice of values.

    Args:
        values: the values of a field, one for each event, in the order of the events; a list that may grow.

    Attributes:
        examined: how many values were looked at so far.
    """

    def __init__(self, values: Sequence[Value]) -> None:
        self._values = values
        self._first = self._end = 0
        self.examined = 0

    def of(self, first: int, end: int) -> Value:
        """Return the aggregate of `values[first:end]`; the same as if it were worked out anew.

        Cost: the values that entered or left the window since the last call, when both ends moved forward; else all of
        the window.
        """
        if end - first <= SMALL_WINDOW:
            self.examined += end - first
            return self.whole(self._values[first:end])
        if first < self._first or end < self._end or first >= self._end:
            self._clear()
            self._first = self._end = first
        self.examined += end - self._end + first - self._first
        for place in range(self._end, end):
            self._enter(place)
        for place in range(self._first, first):
            self._leave(place)
        self._first, self._end = first, end
        return self._result()

    @abstractmethod
    def whole(self, values: Sequence[Value]) -> Value:
        """Return the aggregate of some values, worked out anew."""

    @abstractmethod
    def _clear(self) -> None: ...

    @abstractmethod
    def _enter(self, place: int) -> None: ...

    @abstractmethod
    def _leave(self, place: int) -> None: ...

    @abstractmethod
    def _result(self) -> Value: ...


class Sum(WindowAggregate):
    """The exactly rounded sum of the numbers, which the order of events and the start of the history do not change.

    It is kept as a whole number of the smallest float, of which every other is a multiple, so that nothing is ever
    rounded or overflows on the way, however large the numbers are.
    """

    def __init__(self, values: Sequence[Value]) -> None:
        super().__init__(values)
        self._total = 0
        self._count = 0

    def whole(self, values: Sequence[Value]) -> Value:
        """Return the sum of the numbers, missing when it is too large."""
        return _sum(_numbers(values))

    def _clear(self) -> None:
        self._total = self._count = 0

    def _enter(self, place: int) -> None:
        value = self._values[place]
        if type(value) is float:
            self._total += exact_multiple(value)
            self._count += 1

    def _leave(self, place: int) -> None:
        value = self._values[place]
        if type(value) is float:
            self._total -= exact_multiple(value)
            self._count -= 1

    def _result(self) -> Value:
        return rounded_multiple(self._total)


class Average(Sum):
    """The mean of the numbers, missing when there are none."""

    def whole(self, values: Sequence[Value]) -> Value:
        """Return the mean of the numbers."""
        numbers = _numbers(values)
        return _mean(_sum(numbers), len(numbers))

    def _result(self) -> Value:
        return _mean(super()._result(), self._count)


class Unique(WindowAggregate):
    """The number of distinct values; a boolean and a number are never the same, though equal in Python."""

    def __init__(self, values: Sequence[Value]) -> None:
        super().__init__(values)
        self._counts: dict[tuple[type, Value], int] = {}

    def whole(self, values: Sequence[Value]) -> Value:
        """Return the number of distinct values that are not missing."""
        return float(len({(type(value), value) for value in values if value is not None}))

    def _clear(self) -> None:
        self._counts = {}

    def _enter(self, place: int) -> None:
        value = self._values[place]
        if value is not None:
            key = (type(value), value)
            self._counts[key] = self._counts.get(key, 0) + 1

    def _leave(self, place: int) -> None:
        value = self._values[place]
        if value is not None:
            key = (type(value), value)
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    def _result(self) -> Value:
        return float(len(self._counts))


class Least(WindowAggregate):
    """The smallest number, missing when there are none.

    Only a number that no later one is smaller than can still become the smallest, so that these are kept, ascending.
    """

    def __init__(self, values: Sequence[Value]) -> None:
        super().__init__(values)
        self._places: deque[tuple[int, float]] = deque()

    def whole(self, values: Sequence[Value]) -> Value:
        """Return the smallest number."""
        return min(_numbers(values), default=None)

    def _clear(self) -> None:
        self._places.clear()

    def _enter(self, place: int) -> None:
        value = self._values[place]
        if type(value) is float:
            while self._places and self._exceeds(self._places[-1][1], value):
                self._places.pop()
            self._places.append((place, value))

    def _leave(self, place: int) -> None:
        if self._places and self._places[0][0] == place:
            self._places.popleft()

    def _result(self) -> Value:
        return self._places[0][1] if self._places else None

    def _exceeds(self, earlier: float, later: float) -> bool:
        return earlier > later


class Greatest(Least):
    """The largest number, missing when there are none."""

    def whole(self, values: Sequence[Value]) -> Value:
        """Return the largest number."""
        return max(_numbers(values), default=None)

    def _exceeds(self, earlier: float, later: float) -> bool:
        return earlier < later


#: The aggregate functions of the language, by name.
AGGREGATES: Final[dict[str, Callable[[Sequence[Value]], WindowAggregate]]] = {
    "sum": Sum,
    "avg": Average,
    "min": Least,
    "max": Greatest,
    "uniq": Unique,
}


def _numbers(values: Sequence[Value]) -> list[float]:
    return [value for value in values if type(value) is float]


def _sum(numbers: Sequence[float]) -> float | None:
    try:
        return fsum(numbers)
    except OverflowError:
        # On the way, perhaps: the sum itself may be none too large.
        return rounded_multiple(sum(map(exact_multiple, numbers)))


def exact_multiple(number: float) -> int:
    """Return how many times the smallest float a number is."""
    numerator, denominator = number.as_integer_ratio()
    return numerator << (_SMALLEST_BITS + 1 - denominator.bit_length())


def rounded_multiple(multiple: int) -> float | None:
    """Return the number that is so many times the smallest float; None when it is too large for one."""
    try:
        return multiple / _SMALLEST_DIVISOR
    except OverflowError:
        return None


def _mean(total: Value, count: int) -> Value:
    return total / count if count and type(total) is float else None

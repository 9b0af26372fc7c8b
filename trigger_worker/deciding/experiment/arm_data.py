"""What is known of an arm: its sufficient statistics."""

from __future__ import annotations

from typing import Final

import msgspec

#: The arm of everybody else in an experiment without arms of its own.
TREATED_ARM: Final = "treated"


class ArmData(msgspec.Struct, frozen=True):
    """Sums over the visitors of one arm, from which everything else follows.

    Args:
        arm: its name.
        visitors: who was exposed, each counted once.
        conversions: how many of them reached the goal within its window.
        revenue: what they spent within it.
        revenue_squares: the sum of the squares of what each spent.
    """

    arm: str
    visitors: int
    conversions: int
    revenue: float = 0.0
    revenue_squares: float = 0.0

    @property
    def conversion(self) -> Mean:
        """Conversions per visitor."""
        return _mean(self.visitors, self.conversions, self.conversions)

    @property
    def spending(self) -> Mean:
        """Revenue per visitor."""
        return _mean(self.visitors, self.revenue, self.revenue_squares)


class Mean(msgspec.Struct, frozen=True):
    """A mean over some visitors, and the variance between them.

    Args:
        count: how many visitors.
        mean: 0 without visitors.
        variance: of single visitors, not of the mean; 0 for fewer than two.
    """

    count: int
    mean: float
    variance: float


def _mean(count: int, total: float, squares: float) -> Mean:
    if not count:
        return Mean(0, 0.0, 0.0)
    mean = total / count
    variance = max(0.0, squares - total * mean) / (count - 1) if count > 1 else 0.0
    return Mean(count, mean, variance)

"""Generated receipts, with the number, lengths and skew of the completejourney data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.journey import Line

HOUSEHOLDS: Final = 2_400
PRODUCTS: Final = 40_000
#: Counts with a long tail; the shapes and scales of a lognormal distribution.
_BASKETS_A_YEAR: Final = (3.8, 0.85)
_LINES_A_BASKET: Final = (1.7, 1.05)
_VALUE: Final = (0.9, 0.7)
_FIRST_DAY: Final = datetime(2017, 1, 1, tzinfo=UTC)
_OPEN_HOURS: Final = (8, 21)


def made_up_receipts() -> Iterator[Line]:
    """Yield the lines of one year of receipts, the same in every call, basket by basket in order of time."""
    choose = random.Random(11)
    visits = [
        (_moment(choose), household)
        for household in range(HOUSEHOLDS)
        for _ in range(round(choose.lognormvariate(*_BASKETS_A_YEAR)))
    ]
    for number, (at, household) in enumerate(sorted(visits)):
        for _ in range(max(1, round(choose.lognormvariate(*_LINES_A_BASKET)))):
            yield Line(
                household=str(household),
                basket=f"basket-{number}",
                at=at,
                product=str(_popular(choose)),
                quantity=1.0 if choose.random() < 0.8 else float(choose.randint(2, 6)),
                value=round(choose.lognormvariate(*_VALUE), 2),
            )


def _moment(choose: random.Random) -> datetime:
    day, hour = choose.randrange(365), choose.uniform(*_OPEN_HOURS)
    return _FIRST_DAY + timedelta(days=day, seconds=round(hour * 3600))


def _popular(choose: random.Random) -> int:
    """Return a random product; few products are in many baskets, and most are in few."""
    return int(PRODUCTS * choose.random() ** 3)

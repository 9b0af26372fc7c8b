"""The plans of the shop's club."""

from __future__ import annotations

import msgspec


class Plan(msgspec.Struct, frozen=True):
    """What a member pays a year, in whole euros, and gets for it."""

    key: str
    name: str
    price: int
    line: str
    benefits: tuple[str, ...]


PLANS = {
    plan.key: plan
    for plan in (
        Plan(
            "trail",
            "Trail",
            0,
            "For the odd weekend out.",
            ("Order history and wishlist", "Members' letter once a month", "Thirty days to return"),
        ),
        Plan(
            "ridge",
            "Ridge",
            39,
            "For everybody who is out most weekends.",
            ("Everything in Trail", "New things a week early", "Ninety days to return", "One free repair a year"),
        ),
        Plan(
            "summit",
            "Summit",
            89,
            "For guides, groups and the incurable.",
            ("Everything in Ridge", "Two guided walks a year", "Repairs free of charge", "First pick of small runs"),
        ),
    )
}

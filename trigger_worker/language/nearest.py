"""The known name that somebody who mistyped probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name most like `name`, or None when nothing is near."""
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns a hint such as `did you mean view_item?`, empty when nothing is near."""
    found = nearest(name, known)
    return f"did you mean {found}?" if found else ""

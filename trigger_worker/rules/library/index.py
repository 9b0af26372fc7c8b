"""The page that lists the library, docs/library.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trigger_worker.rules.library.catalogue import Entry

_INTRODUCTION: Final = """\
# Library

Ready rules. `micromoment init` puts them into `rules/available/`, with their templates, audiences and a policy; a rule
is live once it lies in `rules/` ([commands.md](commands.md#init)). Read a rule before you use it: amounts and times are
a starting point, the addresses that messages lead to (`/cart`, `/contact`, `/returns` ...) and the coupon codes must be
your shop's, and [rules.md](rules.md) explains every line.

This page is made from the rules by `python -m trigger_worker.rules.library > docs/library.md`.
"""

#: The order in which a visitor meets them; a test knows that no group is missing.
GROUPS: Final = (
    "Micro-interactions",
    "Cart and checkout",
    "Search",
    "Pages that tell",
    "Journey",
    "Inactivity and re-engagement",
    "Lifecycle",
    "Buyer psychology",
    "Scores",
    "Post-purchase",
    "Subscription and cross-category",
)


def render_index(entries: Sequence[Entry]) -> str:
    """Returns the page, in Markdown."""
    groups = (_group(name, [entry for entry in entries if entry.group == name]) for name in GROUPS)
    return "\n".join([_INTRODUCTION, *groups])


def _group(name: str, entries: Sequence[Entry]) -> str:
    rows = "\n".join(_row(entry) for entry in entries)
    return f"## {name}\n\n| rule | when to use it | pattern | sends |\n|---|---|---|---|\n{rows}\n"


def _row(entry: Entry) -> str:
    pattern = f"`{entry.when}`" + (f"<br>if `{entry.condition}`" if entry.condition else "")
    sends = ", ".join(dict.fromkeys(message.channel for message in entry.rule.send))
    return f"| `{entry.rule.id}` | {entry.rule.describe} | {pattern} | {sends} |"

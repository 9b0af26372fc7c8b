"""Read the rules of the library, and render docs/library.md, the page that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import yaml

from trigger_worker.rules.files.folder import RuleFolder
from trigger_worker.rules.language.errors import did_you_mean
from trigger_worker.rules.model import Rule
from warehouse.errors import RuleError

LIBRARY: Final = Path(__file__).parent
RULES: Final = LIBRARY / "rules"
TEMPLATES: Final = LIBRARY / "templates"
AUDIENCES: Final = LIBRARY / "audiences.yaml"
POLICY: Final = LIBRARY / "policy.yaml"


_INTRODUCTION: Final = """\
# Library

Ready rules. `micromoment init` puts them into `rules/available/`, with their templates, audiences and a policy; a rule
is live once it lies in `rules/` ([commands.md](commands.md#init)). Read a rule before you use it: amounts and times are
a starting point, the addresses that messages lead to (`/cart`, `/contact`, `/returns` ...) and the coupon codes must be
your shop's, and [rules.md](rules.md) explains every line.

This page is made from the rules by `python -m trigger_worker.rules.library > docs/library.md`.
"""

#: The headings of the page, in the order in which a visitor meets the rules; a test tells when one is missing.
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


class Entry(msgspec.Struct, frozen=True):
    """One rule of the library.

    Args:
        rule: the rule, as it was read.
        group: the heading that the rule is listed under; the first line of its file names it.
        when: its pattern, as its file writes it.
        condition: its `if`, as its file writes it; empty for none.
    """

    rule: Rule
    group: str
    when: str
    condition: str

    @property
    def file(self) -> Path:
        """The path of the rule's file."""
        return RULES / f"{self.rule.id}.yaml"


def read_library() -> list[Entry]:
    """Return every rule of the library, in the order of their ids."""
    rules = RuleFolder(RULES, AUDIENCES).refresh().rules
    return [_entry(rule) for rule in sorted(rules, key=lambda rule: rule.id)]


def find_rule(rule_id: str) -> Path:
    """Return the path of a rule's file.

    Raises:
        RuleError: the library has no such rule; the remedy names the nearest one.
    """
    known = {path.stem: path for path in RULES.glob("*.yaml")}
    if rule_id not in known:
        hint = did_you_mean(rule_id, known) or "docs/library.md lists every rule"
        raise RuleError(f'the library has no rule "{rule_id}"', hint)
    return known[rule_id]


def render_index(entries: Sequence[Entry]) -> str:
    """Return docs/library.md."""
    groups = (_group(name, [entry for entry in entries if entry.group == name]) for name in GROUPS)
    return "\n".join([_INTRODUCTION, *groups])


def _entry(rule: Rule) -> Entry:
    text = (RULES / f"{rule.id}.yaml").read_text(encoding="utf-8")
    heading, _, _ = text.partition("\n")
    fields = yaml.safe_load(text)
    return Entry(rule, heading.removeprefix("# "), fields["when"], fields.get("if", ""))


def _group(name: str, entries: Sequence[Entry]) -> str:
    rows = "\n".join(_row(entry) for entry in entries)
    return f"## {name}\n\n| rule | when to use it | pattern | sends |\n|---|---|---|---|\n{rows}\n"


def _row(entry: Entry) -> str:
    pattern = f"`{entry.when}`" + (f"<br>if `{entry.condition}`" if entry.condition else "")
    sends = ", ".join(dict.fromkeys(message.channel for message in entry.rule.send))
    return f"| `{entry.rule.id}` | {entry.rule.describe} | {pattern} | {sends} |"

"""The rules of the library, with what they say about themselves."""

from __future__ import annotations

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


class Entry(msgspec.Struct, frozen=True):
    """One rule of the library.

    Args:
        rule: the rule itself.
        group: the heading that it belongs under, which the first line of its file names.
        when: its pattern, as its file writes it.
        condition: its `if`, as its file writes it; empty for none.
    """

    rule: Rule
    group: str
    when: str
    condition: str

    @property
    def file(self) -> Path:
        """Where the rule is."""
        return RULES / f"{self.rule.id}.yaml"


def read_library() -> list[Entry]:
    """Returns every rule of the library, in the order of their ids."""
    rules = RuleFolder(RULES, AUDIENCES).refresh().rules
    return [_entry(rule) for rule in sorted(rules, key=lambda rule: rule.id)]


def find_rule(rule_id: str) -> Path:
    """Returns the file of a rule.

    Raises:
        RuleError: the library has no such rule; names the nearest one.
    """
    known = {path.stem: path for path in RULES.glob("*.yaml")}
    if rule_id not in known:
        hint = did_you_mean(rule_id, known) or "docs/library.md lists every rule"
        raise RuleError(f'the library has no rule "{rule_id}"', hint)
    return known[rule_id]


def _entry(rule: Rule) -> Entry:
    text = (RULES / f"{rule.id}.yaml").read_text(encoding="utf-8")
    heading, _, _ = text.partition("\n")
    fields = yaml.safe_load(text)
    return Entry(rule, heading.removeprefix("# "), fields["when"], fields.get("if", ""))

"""Changes of rules, templates and policy while the product runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from e2e.stack import Stack

BANNER = """
form: bar
title: {title}
text: Written by a test.
"""


@contextmanager
def live_rule(stack: Stack, rule_id: str, text: str, title: str = "") -> Iterator[None]:
    """Add a rule with a banner's template until the block ends.

    Args:
        stack: the running product.
        rule_id: the id of the rule, and the name of its file and template.
        text: the YAML of the rule without its id.
        title: of the banner; empty for a rule that sends something else.
    """
    rule = stack.rules_folder / f"{rule_id}.yaml"
    if title:
        write_banner(stack, rule_id, title)
    rule.write_text(f"id: {rule_id}\n{text}")
    try:
        yield
    finally:
        rule.unlink()


def write_banner(stack: Stack, name: str, title: str) -> None:
    """Write the template of a banner."""
    (stack.rules_folder.parent / "templates" / f"{name}.banner.yaml").write_text(BANNER.format(title=title))


def add_cap(stack: Stack, cap: str) -> None:
    """Add a cap to the policy."""
    policy = stack.rules_folder.parent / "policy.yaml"
    policy.write_text(policy.read_text().replace("caps:\n", f"caps:\n  - {cap}\n", 1))

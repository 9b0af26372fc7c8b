"""The audit has which rules were changed while a worker ran."""

from __future__ import annotations

import json

from tests.trigger_worker.shop import Shop

HELLO = "when: hover\nevery: 0s\nsend:\n  - banner: hello\n"


async def test_rules_that_are_added_changed_paused_and_removed_are_noted(shop: Shop) -> None:
    shop.rule("first", HELLO)
    await shop.passes(1)
    shop.rule("second", HELLO)
    await shop.passes(1)
    shop.rule("first", HELLO.replace("hover", "click"))
    shop.rule("second", f"{HELLO}paused: true\n")
    await shop.passes(1)
    (shop.folder / "rules" / "second.yaml").unlink()
    await shop.passes(1)
    rows = shop.warehouse.query("SELECT actor, detail FROM audit WHERE action = 'rules_changed' ORDER BY at")
    assert [(actor, json.loads(detail)) for actor, detail in rows] == [
        ("rules folder", {"added": ["second"]}),
        ("rules folder", {"changed": ["first", "second"]}),
        ("rules folder", {"removed": ["second"]}),
    ]

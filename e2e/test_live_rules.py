"""Rules, templates and policy take effect while the product runs."""

from __future__ import annotations

import pytest

from e2e.rules import add_cap, live_rule, write_banner
from e2e.shopper import Shopper
from e2e.stack import Stack
from e2e.waiting import wait_for


@pytest.fixture
def reader(shopper: Shopper) -> Shopper:
    """Return a shopper with an open page."""
    shopper.open_and_listen("/returns")
    return shopper


def cause_until_fired(shopper: Shopper, event: str, rule: str) -> None:
    """Send an event repeatedly until a rule that was just written fires."""

    def try_once() -> bool:
        shopper.tell("track", event)
        query = f"SELECT count() > 0 AS fired FROM fires WHERE rule = '{rule}'"
        return bool(shopper.stack.sql(query)[0]["fired"])

    wait_for(try_once, f"{rule} to fire")


def test_a_new_rule_and_an_edited_one_take_effect(reader: Shopper, stack: Stack) -> None:
    with live_rule(stack, "fresh", "when: first_probe\nsend: [{banner: fresh}]\n", "Fresh from the editor"):
        cause_until_fired(reader, "first_probe", "fresh")
        reader.see_banner("Fresh from the editor")
        reader.banner.get_by_role("button").click()
        write_banner(stack, "fresh", "Edited since")
        rule = stack.rules_folder / "fresh.yaml"
        rule.write_text(rule.read_text().replace("first_probe", "second_probe") + "every: 0\n")

        def shown() -> bool:
            reader.tell("track", "second_probe")
            return reader.banner.count() > 0

        wait_for(shown, "the edited rule's banner")
        reader.see_banner("Edited since")


def test_a_broken_rule_does_not_stop_the_others(reader: Shopper, stack: Stack) -> None:
    (stack.rules_folder / "broken.yaml").write_text("id: broken\nwhen: add_to_cart -> -> purchase\n")
    try:
        with live_rule(stack, "sound", "when: sound_probe\nsend: [{banner: sound}]\n", "Sound as ever"):
            cause_until_fired(reader, "sound_probe", "sound")
            reader.see_banner("Sound as ever")
        checked = stack.run("check", str(stack.rules_folder))
        assert checked.returncode != 0
        assert "broken.yaml:2" in checked.stdout + checked.stderr
    finally:
        (stack.rules_folder / "broken.yaml").unlink()


def test_what_a_cap_stops_is_dropped_with_the_reason(reader: Shopper, stack: Stack) -> None:
    add_cap(stack, "{tag: probing, max: 1, per: 1h}")
    rule = "when: capped_probe\nevery: 0\nsend: [{banner: capped, tags: [probing]}]\n"
    with live_rule(stack, "capped", rule, "Once an hour"):
        cause_until_fired(reader, "capped_probe", "capped")
        message_id = reader.see_banner("Once an hour")
        reader.tell("track", "capped_probe")
        dropped = reader.wait_for_decision(rule="capped", verdict="drop")
    assert dropped["reason"] == "cap"
    assert dropped["detail"] == '{"tag":"probing","max":1,"per":"1h","sent":1}'
    reader.wait_for_message(message_id=dropped["message_id"], state="cancelled")
    assert dropped["message_id"] != message_id

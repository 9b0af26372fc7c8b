"""Processes stop or are killed while a visitor shops, and no event or message is lost."""

from __future__ import annotations

import signal

import pytest

from e2e.inbox import mails_to, wait_for_mail
from e2e.rules import live_rule
from e2e.shopper import Row, Shopper
from e2e.stack import Stack
from e2e.waiting import wait_for

#: Notes the id of each message that the snippet puts into its outbox: the first place where a message exists.
KEEP_A_LIST = """
    const set = Storage.prototype.setItem;
    Storage.prototype.setItem = function (key, value) {
        set.call(this, key, value);
        if (!key.startsWith('mm_outbox_')) return;
        const made = JSON.parse(this.getItem('made') ?? '[]');
        const ids = JSON.parse(value).entries.map((entry) => entry.id);
        set.call(this, 'made', JSON.stringify([...new Set([...made, ...ids])]));
    };
"""
#: A retry waits for a random part of half a minute at most; a small part will do here.
RETRY_SOON = "Math.random = () => 0.1"
#: Goes on while the test does something else; each step is an event. The snippet sends four times a second at most, and
#: keeps 500 messages while nobody takes them, which must be enough for as long as a loaded machine takes to start.
WALK = "window.walk = setInterval(() => window.micromoment('track', 'step'), 200)"


def made(shopper: Shopper) -> list[str]:
    """Return the ids of all messages that the SDK sent."""
    return sorted(shopper.page.evaluate("JSON.parse(localStorage.getItem('made'))"))


def each_once(shopper: Shopper) -> list[Row]:
    """Return the stored events if they are the messages that the SDK sent, each of them once; else nothing."""
    rows = shopper.events()
    return rows if sorted(row["event_id"] for row in rows) == made(shopper) else []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["terminated", "killed"])
def test_a_collector_that_restarts_loses_nothing_and_doubles_nothing(
    shopper: Shopper, stack: Stack, how: signal.Signals
) -> None:
    shopper.page.add_init_script(KEEP_A_LIST)
    shopper.page.add_init_script(RETRY_SOON)
    shopper.open("/category/packs")
    shopper.page.evaluate(WALK)
    shopper.wait_for_event("step")
    stack.restart("collector", how)
    # The page is still the same, so its stream must find its way back, too.
    shopper.point_at("fell-28-daypack")
    shopper.page.evaluate("clearInterval(window.walk)")
    shopper.tell("track", "arrived")
    shopper.wait_for_event("arrived")
    # The page lives on and makes messages meanwhile, so both lists are compared until they are the same; one that is
    # stored twice would keep them apart for ever.
    rows = wait_for(lambda: each_once(shopper), "each message that the snippet made, once")
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    shopper.see_banner("Thinking about the Fell 28 Daypack?")


def test_a_worker_killed_between_firing_and_mail_sends_exactly_one(shopper: Shopper, stack: Stack) -> None:
    rule = "when: promised_mail\nsend:\n  - email: cart_reminder\n    after: 8s\n"
    later = rule.replace("promised_mail", "other_mail").replace("8s", "1s")
    shopper.sign_up("ottilie@example.com", "Ottilie")
    with live_rule(stack, "promised", rule), live_rule(stack, "promised_again", later):
        _fire(shopper, "promised_mail", "promised")
        assert mails_to(stack, "ottilie@example.com") == []
        stack.restart("worker", signal.SIGKILL)
        wait_for_mail(stack, "ottilie@example.com")
        (sent,) = _wait_until_sent(shopper, "promised")
        assert sent["count"] == 1
        before = len(mails_to(stack, "ottilie@example.com"))
        stack.restart("worker", signal.SIGKILL)
        after = 0 if "up" in stack.commands else before
        # What the worker does next proves that it is through with what it found.
        _fire(shopper, "other_mail", "promised_again")
        _wait_until_sent(shopper, "promised_again")
        assert len(mails_to(stack, "ottilie@example.com")) == after + 1


def _fire(shopper: Shopper, event: str, rule: str) -> None:
    def try_once() -> bool:
        shopper.tell("track", event)
        return shopper.stack.sql(f"SELECT count() AS fires FROM fires WHERE rule = '{rule}'") != [{"fires": 0}]

    wait_for(try_once, f"{rule} to fire")


def _wait_until_sent(shopper: Shopper, rule: str) -> list[dict[str, int]]:
    query = f"SELECT count() AS count FROM messages WHERE rule = '{rule}' AND state = 'sent' HAVING count > 0"
    return wait_for(lambda: shopper.stack.sql(query), f"{rule} to be sent")

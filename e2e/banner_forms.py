"""Banners of every form from rules made for the test, and the checks of a banner on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, ViewportSize

from e2e.rules import live_rule
from e2e.shopper import Shopper
from e2e.waiting import wait_for

#: What each form says in the tests; `title` and the rest are added.
FORMS: Final = {
    "bar": "form: bar\nposition: top\ntheme: {background: '#183429', color: '#ffffff', accent: '#f2c14e'}",
    "modal": "form: modal\ncoupon: WOOL-10",
    "slide_in": "form: slide_in\nposition: left\ncountdown: {for: 15m, label: Reserved for}",
    "toast": "form: toast\nstay: 1h\ntheme: {radius: 8, font: inherit}",
    "inline": "form: inline\nselector: main h1\nplace: after\ncoupon: WOOL-10",
}
_WORDS: Final = (
    "title: Warm for less\ntext: Ten percent off all wool this week.\ncta: {label: See the offer, url: /returns}\n"
)
_LAST: Final = "zz_last"
_RULE: Final = "when: {rule}_probe\nevery: 0\nclass: transactional\nsend: [{{banner: {rule}}}]\n"

_AXE: Final = Path(__file__).parents[1] / "sdk_js" / "node_modules" / "axe-core" / "axe.min.js"
_RUN_AXE: Final = """async () => {
  const { violations } = await axe.run({ include: [["[data-micromoment-banner]"]] });
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary).join("; ")}`);
}"""
_BOX: Final = """host => {
  const { left, right, top, bottom } = host.shadowRoot.querySelector(".card").getBoundingClientRect();
  return { left, right, top, bottom, width: document.documentElement.clientWidth, height: innerHeight,
           scrolls: document.documentElement.scrollWidth > document.documentElement.clientWidth };
}"""
_IS_MOVED: Final = "host => getComputedStyle(host.shadowRoot.querySelector('.box')).animationName !== 'none'"
_PHONE: Final = ViewportSize(width=320, height=568)


@contextmanager
def banner_rules(shopper: Shopper, templates: Mapping[str, str]) -> Iterator[None]:
    """Add a rule for each template, which answers the event `NAME_probe`, until the block ends.

    Args:
        shopper: a visitor with an open page, who finds out when the rules are live and sees none of their banners.
        templates: the YAML of each template by name, without the banner's words.
    """
    stack = shopper.stack
    with ExitStack() as cleanup:
        # The last one is read together with the others, or after them.
        for name, template in {**templates, _LAST: "form: bar\nnot_pages: ['*']"}.items():
            (stack.rules_folder.parent / "templates" / f"{name}.banner.yaml").write_text(f"{template}\n{_WORDS}")
            cleanup.enter_context(live_rule(stack, name, _RULE.format(rule=name)))

        def is_in_force() -> bool:
            shopper.tell("track", f"{_LAST}_probe")
            return bool(stack.sql(f"SELECT count() > 0 AS fired FROM fires WHERE rule = '{_LAST}'")[0]["fired"])

        wait_for(is_in_force, "the banners' rules")
        yield


def receive(shopper: Shopper, rule: str) -> str:
    """Send the event that a rule waits for, and return the message id of its banner."""
    known = set(_sent(shopper, rule))
    shopper.tell("track", f"{rule}_probe")
    return wait_for(lambda: next(iter(set(_sent(shopper, rule)) - known), None), f"a banner of {rule}")


def _sent(shopper: Shopper, rule: str) -> list[str]:
    query = f"SELECT DISTINCT message_id FROM messages WHERE visitor_id = '{shopper.anonymous_id}' AND rule = '{rule}'"
    return [row["message_id"] for row in shopper.stack.sql(f"{query} AND state = 'sent'")]


def serious_faults(page: Page) -> list[str]:
    """Return the serious and critical accessibility violations of the banner on a page, found by axe-core."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text())
    found: list[str] = page.evaluate(_RUN_AXE)
    return found


def check_for_everyone(shopper: Shopper, *, covers: bool) -> None:
    """Assert that a banner is usable on a small phone, from right to left, and without motion.

    Args:
        shopper: the visitor who sees the banner.
        covers: whether the banner covers the page, so that it must fit on the screen.
    """
    page = shopper.page
    assert serious_faults(page) == []
    size = page.viewport_size
    page.set_viewport_size(_PHONE)
    page.evaluate("document.documentElement.dir = 'rtl'")
    box = shopper.banner.evaluate(_BOX)
    assert (box["left"] >= 0, box["right"] <= box["width"], box["scrolls"]) == (True, True, False), box
    if covers:
        assert (box["top"] >= 0, box["bottom"] <= box["height"]) == (True, True), box
    assert serious_faults(page) == []
    page.evaluate("document.documentElement.dir = 'ltr'")
    if size:
        page.set_viewport_size(size)


def moves(shopper: Shopper) -> bool:
    """Tell whether a banner appears with an animation."""
    return bool(shopper.banner.evaluate(_IS_MOVED))

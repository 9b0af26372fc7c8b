"""Benchmark of the time from an action on a page to its banner, in Chromium on the demo store."""

from __future__ import annotations

from playwright.sync_api import Browser

from bench.figures import summary
from e2e.browser import open_browser
from e2e.stack import Stack

RUNS = 50
_RULE = """
id: bench_banner
describe: Answers an action of the benchmark at once.
when: bench_action
every: 0s
send:
  - banner: bench
"""
_TEMPLATE = "form: bar\nposition: top\ntitle: Measured\ntext: This banner answers an action.\n"
_ACT_AND_WAIT = """() => new Promise((resolve) => {
  const started = performance.now();
  const seen = () => document.querySelector("[data-micromoment-banner]");
  const look = () => seen() ? requestAnimationFrame(() => resolve(performance.now() - started)) : setTimeout(look, 1);
  window.micromoment("track", "bench_action", {});
  look();
})"""


def measure(stack: Stack) -> list[str]:
    """Return the time until a banner appears; each run is a new visitor on a page that has loaded."""
    (stack.rules_folder / "bench_banner.yaml").write_text(_RULE)
    (stack.rules_folder.parent / "templates" / "bench.banner.yaml").write_text(_TEMPLATE)
    with open_browser() as browser:
        _one_run(browser, stack)  # not counted: compiles what is compiled once
        samples = [_one_run(browser, stack) for _ in range(RUNS)]
    return [summary("action in the page -> banner visible", samples, (0.5, 0.95))]


def _one_run(browser: Browser, stack: Stack) -> float:
    context = browser.new_context()
    try:
        page = context.new_page()
        with page.expect_response(lambda response: "/v1/stream" in response.url):
            page.goto(stack.store_url)
        page.wait_for_timeout(1500)
        return float(page.evaluate(_ACT_AND_WAIT))
    finally:
        context.close()

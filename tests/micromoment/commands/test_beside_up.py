"""Commands beside a running `micromoment up`, which holds the embedded engine."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.micromoment.commands.running import Running, running

BANNER = "form: bar\nposition: top\ntitle: Hello\ntext: You\n"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A shop where anna lingered with an empty cart, and bob with a full one."""
    folder = tmp_path_factory.mktemp("shop")
    for name in ("rules", "templates"):
        (folder / name).mkdir()
    lingers = "id: lingers\nwhen: hover\nif: cart.items == 0\nevery: 0\nsend: [{banner: hello}]\n"
    lingers += "goal: purchase within 1h\nexperiment: {arms: {plain: 1, coupon: 1}}\n"
    (folder / "rules" / "lingers.yaml").write_text(lingers)
    (folder / "rules" / "rests.yaml").write_text("id: rests\nwhen: hover\nevery: 0\npaused: true\n")
    (folder / "rules" / "broken.yaml").write_text("id: broken\nwhen: hover\nif: count(any, 400d) > 3\n")
    (folder / "templates" / "hello.banner.yaml").write_text(BANNER)
    with running(folder) as started:
        started.sends("add_to_cart", "bob", product_id="p1", quantity=1)
        started.sends("hover", "bob", product_id="p1")
        started.sends("hover", "anna", product_id="p1")
        assert started.has("SELECT count() FROM decisions WHERE visitor_id = 'anna'")
        yield started


def test_rules_are_listed_live_paused_and_invalid_with_the_reason(product: Running) -> None:
    listed = product.run("rules", "--format", "json")
    states = {state["rule"]: state for state in map(json.loads, listed.stdout.splitlines())}
    assert {rule: (state["state"], state["firings_today"]) for rule, state in states.items()} == {
        "lingers": ("live", 1),
        "rests": ("paused", 0),
        "rules/broken.yaml": ("invalid", 0),
    }
    assert states["rules/broken.yaml"]["reason"] == (
        "rules/broken.yaml:3:16: any would read all that a visitor did in 400d: too much"
        " (name the events, or look back at most 90d)"
    )


def test_a_visitor_who_fired_and_one_who_did_not_are_explained(product: Running) -> None:
    told = [product.run("explain", "lingers", visitor).stdout.splitlines() for visitor in ("anna", "bob")]
    assert told[0][0].startswith("lingers fired for anna at ")
    assert told[1][0].startswith("lingers does not qualify for bob at ")
    assert told[1][1] == "first failed: if: cart.items == 0 (cart.items is 1)"
    assert "paused: the rule fires for nobody" in product.run("explain", "rests", "anna").stdout


def test_a_replay_finds_what_fired(product: Running) -> None:
    replayed = product.run("backtest", "rules/lingers.yaml", "--since", "1h")
    (line,) = map(json.loads, replayed.stdout.splitlines())
    assert (replayed.returncode, line["rule"], line["visitor_id"]) == (0, "lingers", "anna")
    fired = product.run("sql", "SELECT toUnixTimestamp64Milli(at) AS at FROM fires", "--format", "TSV").stdout.strip()
    again = product.run("sql", f"SELECT toUnixTimestamp64Milli(parseDateTime64BestEffort('{line['at']}', 3, 'UTC'))")
    assert fired in again.stdout


def test_a_rule_that_is_paused_can_be_replayed(product: Running) -> None:
    replayed = product.run("backtest", "rules/rests.yaml", "--since", "1h")
    assert len(replayed.stdout.splitlines()) == 2


def test_an_experiment_is_told(product: Running) -> None:
    told = product.run("results", "lingers", "--format", "json")
    arms = json.loads(told.stdout)["results"]["arms"]
    assert sorted(arm["data"]["visitors"] for arm in arms) == [0, 1]
    assert product.run("results", "lingers").stdout.splitlines()[1].split()[:3] == ["arm", "visitors", "conversions"]


def test_check_tells_what_is_wrong_and_goes_on(product: Running) -> None:
    checked = product.run("check")
    assert checked.returncode == 1
    assert checked.stdout.startswith("rules/broken.yaml:3:16: any would read all")
    assert checked.stderr == "2 rules are valid; 1 errors, 0 warnings\n"


def test_a_rule_that_nobody_knows_is_told_with_a_remedy(product: Running) -> None:
    asked = product.run("explain", "lingres", "anna")
    assert asked.returncode == 2
    assert "there is no valid rule 'lingres'" in asked.stderr
    assert "`micromoment rules` lists them" in asked.stderr


def test_a_preview_is_shown_and_sends_nothing(product: Running) -> None:
    shown = product.run("preview", "lingers", "--visitor", "anna")
    assert shown.returncode == 0
    assert shown.stdout == (
        "lingers for anna, variant plain\n\nbanner hello\n  form: bar\n  title: Hello\n  position: top\n  text: You\n"
    )

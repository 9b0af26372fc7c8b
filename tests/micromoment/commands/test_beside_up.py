"""Commands beside a running `micromoment up`, which holds the embedded engine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.micromoment.commands.running import LONGEST_SECONDS, WRITE_KEY, Running, running

BANNER = "form: bar\nposition: top\ntitle: Hello\ntext: You\n"
BROKEN = "form: bar\nposition: top\ntitle: '{{ visitor.id | no_such_filter }}'\n"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A shop where anna lingered with an empty cart, and bob with a full one; a template of it is broken."""
    folder = tmp_path_factory.mktemp("shop")
    for name in ("rules", "templates"):
        (folder / name).mkdir()
    lingers = "id: lingers\nwhen: hover\nif: cart.items == 0\nevery: 0\nsend: [{banner: hello}]\n"
    lingers += "goal: purchase within 1h\nexperiment: {arms: {plain: 1, coupon: 1}}\n"
    (folder / "rules" / "lingers.yaml").write_text(lingers)
    loyal = "id: loyal\nwhen: login\nif: count(purchase, 60d) >= 3\nevery: 0\nsend: [{banner: hello}]\n"
    (folder / "rules" / "loyal.yaml").write_text(loyal)
    (folder / "rules" / "rests.yaml").write_text("id: rests\nwhen: hover\nevery: 0\npaused: true\n")
    (folder / "rules" / "broken.yaml").write_text("id: broken\nwhen: hover\nif: count(any, 400d) > 3\n")
    greets = "id: greets\nwhen: sign_up\nevery: 0\nsend: [{banner: greeting}]\n"
    (folder / "rules" / "greets.yaml").write_text(greets)
    (folder / "templates" / "hello.banner.yaml").write_text(BANNER)
    (folder / "templates" / "greeting.banner.yaml").write_text(BROKEN)
    with running(folder) as started:
        started.sends("add_to_cart", "bob", product_id="p1", quantity=1)
        started.sends("hover", "bob", product_id="p1")
        started.sends("hover", "anna", product_id="p1")
        # Firings and verdicts come to ClickHouse by themselves.
        assert started.has("SELECT count() FROM decisions WHERE fire_id IN (SELECT fire_id FROM fires)")
        yield started


def test_rules_are_listed_live_paused_and_invalid_with_the_reason(product: Running) -> None:
    listed = product.run("rules", "--format", "json")
    states = {state["rule"]: state for state in map(json.loads, listed.stdout.splitlines())}
    assert {rule: (state["state"], state["firings_today"]) for rule, state in states.items()} == {
        "lingers": ("live", 1),
        "greets": ("live", 0),
        "loyal": ("live", 0),
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
    asked = "SELECT toUnixTimestamp64Milli(at) AS at FROM fires WHERE rule = 'lingers'"
    fired = product.run("sql", asked, "--format", "TSV").stdout.strip()
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
    assert "rules/greets.yaml: templates/greeting.banner.yaml" in checked.stdout
    assert checked.stderr == "4 rules are valid; 2 errors, 0 warnings\n"


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


def test_a_command_in_a_process_of_its_own_is_answered_by_the_running_one(product: Running) -> None:
    asked = product.run_apart("sql", "SELECT visitor_id FROM fires WHERE rule = 'lingers'", "--format", "TSV")
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "anna\n", "")
    refused = product.run_apart("sql", "SELECT no_such_column FROM events")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("micromoment: ")
    assert "no_such_column" in refused.stderr


@pytest.fixture
def mended(product: Running) -> Iterator[Path]:
    """The template that is broken, and is again afterwards."""
    path = product.folder / "templates" / "greeting.banner.yaml"
    yield path
    path.write_text(BROKEN)


def test_a_message_whose_template_is_mended_is_sent_once_it_is_asked_for_again(product: Running, mended: Path) -> None:
    product.sends("sign_up", "carol")
    assert product.has("SELECT count() FROM messages WHERE rule = 'greets' AND state = 'failed'")
    (failed,) = _listed(product, "--failed", "--visitor", "carol")
    assert (failed["rule"], failed["reason"], failed["retries"]) == ("greets", "template", 0)
    mended.write_text(BANNER)
    again = product.run("retry", failed["message_id"])
    assert (again.returncode, again.stdout) == (0, "1 message will be tried again\n")
    assert product.has("SELECT count() FROM messages WHERE rule = 'greets' AND state = 'sent'")
    about = f"message_id = '{failed['message_id']}' AND event LIKE 'message_%'"
    assert product.has(f"SELECT uniqExact(event) = 3 FROM events WHERE {about}")
    (sent,) = _listed(product, "--visitor", "carol")
    assert (sent["message_id"], sent["state"], sent["retries"]) == (failed["message_id"], "sent", 1)
    assert _listed(product, "--failed") == []


def test_history_that_is_imported_beside_it_counts_in_its_rules_at_once(product: Running) -> None:
    product.sends("login", "dora")
    assert product.has("SELECT count() FROM events WHERE visitor_id = 'dora'")
    day = datetime.now(UTC).date() - timedelta(days=20)
    rows = "".join(f"dora,{day}T10:0{n}:00Z,order-{n},lamp,10.00\n" for n in range(3))
    (product.folder / "orders.csv").write_text(f"visitor_id,time,order_id,product_id,price\n{rows}")
    told = product.run("import", "orders.csv")
    assert (told.returncode, "3 events stored, 0 stored before" in told.stderr) == (0, True)
    assert "0 events stored, 3 stored before" in product.run("import", "orders.csv").stderr
    ends = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < ends:
        product.sends("login", "dora")
        if product.run("sql", "SELECT 1 FROM fires WHERE rule = 'loyal'", "--format", "TSV").stdout:
            break
    assert product.has("SELECT count() FROM fires WHERE rule = 'loyal' AND visitor_id = 'dora'")


def _listed(product: Running, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in product.run("messages", "--format", "json", *arguments).stdout.splitlines()]


def test_what_senders_did_wrong_is_told_with_the_last_examples_and_the_remedy(product: Running) -> None:
    library = {"name": "analytics-python", "version": "2.3.4"}
    sent = [
        {"type": "track", "event": "quiz_done", "messageId": "order-17 of zoe@example.com"},
        {"type": "track", "anonymousId": "zoe", "event": "quiz_done", "properties": {"title": "?", "note": "zoe"}},
    ]
    body = json.dumps({"writeKey": WRITE_KEY, "context": {"library": library}, "batch": sent})
    httpx.post(f"{product.url}/v1/batch", content=body.replace('"?"', "NaN")).raise_for_status()
    assert product.has("SELECT count() FROM faults WHERE code = 'no_visitor'")
    told = product.run("warnings", "--site", "shop", "--format", "json").stdout
    found = {(fault["kind"], fault["code"]): fault for fault in map(json.loads, told.splitlines())}
    assert found["drop", "no_visitor"]["events"] == found["warning", "number_repaired"]["events"] == 1
    (example,) = found["drop", "no_visitor"]["examples"]
    assert (example["event"], example["sender"]) == ("quiz_done", "analytics-python 2.3.4")
    text = product.run("warnings").stdout
    assert "remedy: give anonymousId or userId" in text
    assert "quiz_done from analytics-python 2.3.4: properties.title: no number that JSON has; read as null" in text
    assert "zoe" not in told + text
    assert "no site is named" in product.run("warnings", "--site", "nobodys").stderr

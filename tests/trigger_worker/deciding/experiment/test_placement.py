"""Who is where in an experiment, and that they stay there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pytest

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.shop import Shop
from tests.trigger_worker.store.decided import buys, decide
from tests.trigger_worker.stored import NOON, person
from trigger_worker.deciding.experiment.placement import SNAPSHOT_MS, Posteriors, place
from trigger_worker.rules.model import Rule
from trigger_worker.store.arm_data import read_arm_data
from trigger_worker.store.decisions import Placement, read_placements
from trigger_worker.store.people import Person
from warehouse.connection import Row, Warehouse

HOUR = 3_600_000
LEARNS = rule(
    "id: lingers\nwhen: hover\ngoal: purchase within 1h\nsend: [{banner: hello}]\n"
    "experiment: {arms: {plain: 1, coupon: 1}, allocation: thompson}"
)
WEIGHED = rule("id: lingers\nwhen: hover\nsend: [{banner: hello}]\nexperiment: {arms: {plain: 1, coupon: 1}}")
HELD_OUT = rule("id: lingers\nwhen: hover\nsend: [{banner: hello}]\nexperiment: {holdout: 50%}")


def placed(warehouse: Warehouse, asked: Rule, *ids: str, at: int = NOON) -> Placement:
    (found,) = places(warehouse, asked, [person(*ids)], at).values()
    return found


def places(warehouse: Warehouse, asked: Rule, people: Iterable[Person], at: int) -> dict[Person, Placement]:
    """Return the place of each person, as their state tells what was decided before."""
    everybody, posteriors = list(people), Posteriors(warehouse)
    before = read_placements(warehouse, everybody, [asked.id])
    return {who: place(asked, who, before.get((asked.id, asked.version, who)), posteriors, at) for who in everybody}


def arms_of(warehouse: Warehouse, asked: Rule, visitors: Iterable[str], at: int = NOON) -> Counter[str]:
    found = places(warehouse, asked, map(person, visitors), at)
    return Counter(one.arm for one in found.values())


def learn(warehouse: Warehouse, version: str) -> None:
    """Thirty visitors met each arm; the coupon sold, the plain message did not."""
    for number in range(30):
        decide(warehouse, f"plain-{number}", "plain", version=version)
        decide(warehouse, f"coupon-{number}", "coupon", version=version)
        buys(warehouse, f"coupon-{number}", 10, NOON + 1000)


@pytest.mark.parametrize("arm", ["plain", "coupon"])
@pytest.mark.parametrize("chosen", [WEIGHED, LEARNS])
def test_who_met_an_arm_keeps_it_even_under_another_id(warehouse: Warehouse, chosen: Rule, arm: str) -> None:
    decide(warehouse, "phone", arm, version=chosen.version)
    for ids, at in ((("user", "phone"), NOON), (("phone",), NOON + 100 * HOUR)):
        assert placed(warehouse, chosen, *ids, at=at) == Placement(arm, held_out=False)


@pytest.mark.parametrize(("reason", "held_out"), [("holdout", True), ("passed", False), ("cap", False)])
def test_who_was_held_out_stays_so_and_who_was_not_too(warehouse: Warehouse, reason: str, held_out: bool) -> None:
    decide(warehouse, "phone", reason=reason, version=HELD_OUT.version)
    decide(warehouse, "phone", reason="passed" if held_out else "holdout", at=NOON + 1, version=HELD_OUT.version)
    assert placed(warehouse, HELD_OUT, "user", "phone") == Placement("", held_out)


@pytest.mark.parametrize(("reason", "detail"), [("no_consent", {}), ("holdout", {"holdout": "global"})])
def test_what_says_nothing_of_the_rules_holdout_places_nobody(
    warehouse: Warehouse, reason: str, detail: dict[str, str]
) -> None:
    decide(warehouse, "anna", reason=reason, version=HELD_OUT.version, detail=detail)
    assert placed(warehouse, HELD_OUT, "anna") == Placement("", None)


def test_another_version_and_another_rule_assign_anew(warehouse: Warehouse) -> None:
    visitors = [f"visitor-{number}" for number in range(40)]
    for visitor in visitors:
        decide(warehouse, visitor, "plain", version="another")
        decide(warehouse, visitor, "plain", rule="other", version=WEIGHED.version)
    assert set(arms_of(warehouse, WEIGHED, visitors)) == {"plain", "coupon"}


def test_an_arm_that_is_gone_is_replaced(warehouse: Warehouse) -> None:
    decide(warehouse, "anna", "discount", version=WEIGHED.version)
    assert placed(warehouse, WEIGHED, "anna").arm in {"plain", "coupon"}


def test_rules_without_an_experiment_cost_no_question(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(_sql: str, _parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        raise AssertionError("nothing needs to be known")

    monkeypatch.setattr(embedded_warehouse, "query", ask)
    posteriors, asked = Posteriors(embedded_warehouse), rule("when: hover")
    assert place(asked, person("anna"), None, posteriors, NOON) == Placement("", None)
    assert posteriors.missing([asked, WEIGHED, HELD_OUT], NOON) == []
    for known in (WEIGHED, HELD_OUT):
        place(known, person("anna"), None, posteriors, NOON)


def test_the_better_arm_is_met_more_often_once_its_visitors_times_are_over(warehouse: Warehouse) -> None:
    learn(warehouse, LEARNS.version)
    visitors = [f"visitor-{number}" for number in range(200)]
    early, late = (arms_of(warehouse, LEARNS, visitors, at) for at in (NOON + HOUR // 2, NOON + 2 * HOUR))
    assert 60 < early["coupon"] < 140
    assert late["coupon"] > 195


def test_a_restart_in_the_same_hour_learns_the_same_and_asks_once_an_hour(
    embedded_warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(embedded_warehouse, LEARNS.version)
    asked: list[str] = []
    read = embedded_warehouse.query

    def noting(sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        asked.append(sql)
        return read(sql, parameters)

    monkeypatch.setattr(embedded_warehouse, "query", noting)
    posteriors = Posteriors(embedded_warehouse)
    assert posteriors.missing([LEARNS, WEIGHED], NOON + 2 * HOUR) == [LEARNS]
    first = posteriors.of(LEARNS, NOON + 2 * HOUR)
    assert first == {"plain": (1, 31), "coupon": (31, 1)}
    buys(embedded_warehouse, "plain-1", 10, NOON + 2000)
    assert posteriors.of(LEARNS, NOON + 2 * HOUR + SNAPSHOT_MS - 1) is first
    assert len(asked) == 1
    assert posteriors.missing([LEARNS], NOON + 2 * HOUR) == []
    assert posteriors.missing([LEARNS], NOON + 3 * HOUR) == [LEARNS]
    assert len(asked) == 1
    assert posteriors.of(LEARNS, NOON + 3 * HOUR) == {"plain": (2, 30), "coupon": (31, 1)}


async def test_the_worker_gives_each_visitor_one_arm_for_good(shop: Shop) -> None:
    shop.rule(
        "lingers",
        "when: hover\nevery: 0s\ngoal: purchase within 1h\nsend: [{banner: hello}]\n"
        "experiment: {arms: {plain: 1, coupon: 1}, allocation: thompson}\n",
    )
    visitors = [f"visitor-{number}" for number in range(12)]
    for _ in range(3):
        for visitor in visitors:
            shop.happens("hover", visitor)
        await shop.passes(HOUR / 1000)
        await shop.starts()
    arms = shop.rows("SELECT visitor_id, groupUniqArray(arm), count() FROM decisions GROUP BY visitor_id")
    assert sorted((visitor, len(met), count) for visitor, met, count in arms) == sorted(
        (visitor, 1, 3) for visitor in visitors
    )
    assert {arm for _, met, _ in arms for arm in met} == {"plain", "coupon"}


async def test_who_logs_in_stays_where_they_were(shop: Shop) -> None:
    shop.rule(
        "lingers", "when: hover\nevery: 0s\nsend: [{banner: hello}]\nexperiment: {holdout: 50%, arms: {a: 1, b: 1}}\n"
    )
    for number in range(12):
        shop.happens("hover", f"phone-{number}")
    await shop.passes(1)
    for number in range(12):
        shop.happens("hover", f"phone-{number}", user=f"user-{number}")
    await shop.passes(1)
    met = shop.rows(
        "SELECT replaceRegexpOne(visitor_id, '.*-', '') AS number, uniqExact(arm, reason = 'holdout'), count()"
        " FROM decisions GROUP BY number"
    )
    assert {(places, count) for _, places, count in met} == {(1, 2)}
    assert len(met) == 12
    assert {reason for _, _, reason in shop.decisions()} >= {"holdout"}


@pytest.mark.parametrize("restarted", [False, True])
async def test_who_logs_in_stays_in_or_out_of_the_global_holdout_whatever_rule_fires(
    shop: Shop, restarted: bool
) -> None:
    shop.write("policy.yaml", "holdout: 50%\n")
    for number, event in enumerate(("hover", "scroll", "copy")):
        shop.rule(f"rule_{number}", f"when: {event}\nevery: 0s\nsend: [{{banner: hello}}]\n")
    for number in range(16):
        shop.happens("hover", f"phone-{number}")
    await shop.passes(1)
    for event, user in (("scroll", "user"), ("copy", "other")):
        if restarted:
            await shop.starts()
        for number in range(16):
            shop.happens(event, f"phone-{number}", user=f"{user}-{number}")
        await shop.passes(1)
    met = shop.rows(
        "SELECT replaceRegexpOne(visitor_id, '.*-', '') AS number, uniqExact(reason = 'holdout'), count()"
        " FROM decisions GROUP BY number"
    )
    assert {(places, count) for _, places, count in met} == {(1, 3)}
    assert {reason for _, _, reason in shop.decisions()} == {"holdout", "passed"}


async def test_a_holdout_that_grows_only_adds_people_also_after_a_login(shop: Shop) -> None:
    shop.rule("lingers", "when: hover\nevery: 0s\nsend: [{banner: hello}]\n")
    held_out: list[set[str]] = []
    for step, share in enumerate(("20%", "60%", "90%")):
        shop.write("policy.yaml", f"holdout: {share}\n")
        for number in range(16):
            shop.happens("hover", f"phone-{number}", user=f"user-{number}" if step else "")
        before = shop.now_ms
        await shop.passes(1)
        rows = shop.rows(
            "SELECT replaceRegexpOne(visitor_id, '.*-', '') FROM decisions WHERE reason = 'holdout'"
            f" AND decided_at >= fromUnixTimestamp64Milli({before})"
        )
        held_out.append({number for (number,) in rows})
    assert held_out[0] < held_out[1] <= held_out[2]


async def test_what_the_worker_decided_is_what_is_counted(shop: Shop) -> None:
    goal = "when: hover\ngoal: purchase within 1h\nsend: [{banner: hello}]\n"
    text = f"{goal}experiment: {{holdout: 40%, arms: {{a: 1, b: 1}}}}\n"
    shop.rule("lingers", text)
    visitors = [f"visitor-{number}" for number in range(20)]
    for visitor in visitors:
        shop.happens("hover", visitor)
    await shop.passes(1)
    shop.now_ms += 1000
    for visitor in visitors[::2]:
        shop.happens("purchase", visitor, value=5)
    await shop.passes(1)
    asked = rule(f"id: lingers\nevery: 24h\n{text}")
    found = {arm.arm: arm for arm in read_arm_data(shop.warehouse, asked, asked.version, shop.now_ms)}
    assert found.keys() == {"holdout", "a", "b"}
    assert sum(arm.visitors for arm in found.values()) == 20
    assert sum(arm.conversions for arm in found.values()) == 10
    assert sum(arm.spent("").squares for arm in found.values()) == 250
    held_out = shop.rows("SELECT uniqExact(visitor_id) FROM decisions WHERE reason = 'holdout'")
    assert held_out == [(found["holdout"].visitors,)]

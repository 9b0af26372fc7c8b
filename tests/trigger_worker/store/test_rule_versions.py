"""The versions of rules that messages go by."""

from __future__ import annotations

from tests.trigger_worker.rules.evaluate.support import rule
from tests.trigger_worker.stored import NOON, queued
from trigger_worker.rules.files.folder import RuleSet
from trigger_worker.rules.model import NO_AUDIENCES, Rule
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.records import Records
from trigger_worker.store.rule_versions import RuleVersions
from warehouse.connection import Warehouse

OLD = rule("id: lingers\nwhen: hover\nsend: [{banner: old}]")
NEW = rule("id: lingers\nwhen: hover\nsend: [{banner: new}]")
OTHER = rule("id: other\nwhen: click")


def folder(*rules: Rule) -> RuleSet:
    return RuleSet(rules, NO_AUDIENCES, ())


def of(asked: Rule, version: str = "") -> QueuedMessage:
    return queued(rule=asked.id, version=version or asked.version)


def test_messages_find_the_version_that_asked_for_them_also_in_another_process(warehouse: Warehouse) -> None:
    versions = RuleVersions(warehouse, Records(warehouse))
    versions.keep(folder(OLD, OTHER), NOON)
    versions.keep(folder(NEW, OTHER), NOON + 1)
    restarted = RuleVersions(warehouse, Records(warehouse))
    restarted.keep(folder(NEW, OTHER), NOON + 2)
    for known in (versions, restarted):
        found = known.of([of(OLD), of(NEW), of(OTHER)])
        templates = {version: [entry.template for entry in compiled.rule.send] for version, compiled in found.items()}
        assert templates == {
            ("lingers", OLD.version): ["old"],
            ("lingers", NEW.version): ["new"],
            ("other", OTHER.version): [],
        }


def test_a_version_of_a_rule_that_is_gone_or_was_never_seen_is_not_found(embedded_warehouse: Warehouse) -> None:
    versions = RuleVersions(embedded_warehouse, Records(embedded_warehouse))
    versions.keep(folder(OLD, OTHER), NOON)
    versions.keep(folder(OTHER), NOON + 1)
    assert versions.of([of(OLD), of(OTHER, "unseen")]) == {}


def test_a_stored_version_keeps_its_name_though_it_would_get_another_one_today(embedded_warehouse: Warehouse) -> None:
    embedded_warehouse.command(
        "INSERT INTO rule_versions SELECT rule, 'of-last-year', source, first_seen_at FROM values("
        "'rule String, source String, first_seen_at DateTime64(3)', ('lingers', {source:String}, now64(3)))",
        {"source": OLD.source},
    )
    versions = RuleVersions(embedded_warehouse, Records(embedded_warehouse))
    versions.keep(folder(NEW), NOON)
    (found,) = versions.of([of(OLD, "of-last-year")]).values()
    assert (found.rule.version, found.rule.send[0].template) == ("of-last-year", "old")


def test_nothing_is_stored_again(embedded_warehouse: Warehouse) -> None:
    for at in (NOON, NOON + 1):
        RuleVersions(embedded_warehouse, Records(embedded_warehouse)).keep(folder(OLD), at)
    query = "SELECT count(), toUnixTimestamp64Milli(min(first_seen_at)) FROM rule_versions"
    assert list(embedded_warehouse.query(query)) == [(1, NOON)]

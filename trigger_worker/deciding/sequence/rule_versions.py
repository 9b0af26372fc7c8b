"""Every version of a rule that a waiting message may have been asked for by."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import msgspec
import structlog

from trigger_worker.rules.evaluate.compiled_rule import CompiledRule, compile_rules
from trigger_worker.rules.files.audiences import names_of
from trigger_worker.rules.files.folder import NO_RULES, RuleSet
from trigger_worker.rules.files.read import read_rule
from trigger_worker.rules.model import Rule
from trigger_worker.store.feed import PACKAGE
from trigger_worker.store.records import QueuedMessage, Records
from warehouse.connection import Warehouse
from warehouse.queries import read_sql

#: A rule's id and version.
Version = tuple[str, str]

_log = structlog.get_logger("trigger_worker.deciding.sequence.rule_versions")


class RuleVersions:
    """Keeps the text of each version in ClickHouse, and brings back the versions that messages still go by.

    Safe for threads: rules change while messages are decided on.

    Args:
        warehouse: where the versions are.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._records = Records(warehouse)
        self._rule_set = NO_RULES
        self._stored: set[Version] | None = None
        self._compiled: dict[Version, CompiledRule] = {}
        self._lock = threading.Lock()

    def keep(self, rule_set: RuleSet, now_ms: int) -> None:
        """Store the versions that were never seen before; cheap while the rules stay as they are.

        Args:
            rule_set: the rules as they are now.
            now_ms: epoch milliseconds.
        """
        if rule_set is self._rule_set:
            return
        with self._lock:
            self._keep(rule_set, now_ms)

    def _keep(self, rule_set: RuleSet, now_ms: int) -> None:
        stored = self._read_stored() if self._stored is None else self._stored
        fresh = [rule for rule in rule_set.rules if _version(rule) not in stored]
        self._records.store_versions(fresh, now_ms)
        self._stored = stored | set(map(_version, fresh))
        self._rule_set = rule_set
        self._compiled = {}

    def of(self, messages: Iterable[QueuedMessage]) -> Mapping[Version, CompiledRule]:
        """Return the versions that messages were asked for by, of rules that are still there.

        An older one goes by the segments, stages and scores of today; one that they make impossible is left out.
        """
        wanted = {(message.rule, message.version) for message in messages}
        with self._lock:
            return self._of(wanted)

    def _of(self, wanted: set[Version]) -> Mapping[Version, CompiledRule]:
        present = {rule.id: rule for rule in self._rule_set.rules}
        missing = {version for version in wanted - self._compiled.keys() if version[0] in present}
        today = [present[rule] for rule, version in missing if present[rule].version == version]
        earlier = missing - set(map(_version, today))
        self._compile([*today, *(self._read(earlier) if earlier else ())])
        return {version: self._compiled[version] for version in wanted & self._compiled.keys()}

    def _compile(self, rules: Iterable[Rule]) -> None:
        compiled_rules = compile_rules(rules, self._rule_set.audiences)
        self._compiled |= {_version(compiled.rule): compiled for compiled in compiled_rules}

    def _read(self, versions: set[Version]) -> list[Rule]:
        names = names_of(self._rule_set.audiences)
        parameters = {
            "rules": sorted({rule for rule, _ in versions}),
            "versions": sorted({text for _, text in versions}),
        }
        found = []
        for rule_id, version, source in self._warehouse.query(read_sql(PACKAGE, "rule_versions"), parameters):
            if (rule_id, version) in versions:
                reading = read_rule(source, f"{rule_id} {version}", names)
                if reading.rule is None:
                    _log.error("version_unreadable", problems=[str(problem) for problem in reading.problems])
                else:
                    # The id that it had then: what goes into one may change from release to release.
                    found.append(msgspec.structs.replace(reading.rule, version=version))
        return found

    def _read_stored(self) -> set[Version]:
        return {(rule, version) for rule, version in self._warehouse.query(read_sql(PACKAGE, "known_versions"))}


def _version(rule: Rule) -> Version:
    return rule.id, rule.version

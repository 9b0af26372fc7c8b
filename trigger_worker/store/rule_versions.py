"""Keep the text of every rule version, so that a waiting message goes by the version that asked for it."""

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
from trigger_worker.store.decisions import Version
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.records import Records
from trigger_worker.store.statements import statement
from warehouse.queries import Queries

_log = structlog.get_logger("trigger_worker.store.rule_versions")


class RuleVersions:
    """Store the text of each rule version, and compile the versions that messages still go by.

    Safe for threads: rules change while messages are decided on.

    Args:
        queries: the ClickHouse database with the versions.
        records: stores the text of new versions.
    """

    def __init__(self, queries: Queries, records: Records) -> None:
        self._queries = queries
        self._records = records
        self._rule_set = NO_RULES
        self._stored: set[Version] | None = None
        self._compiled: dict[Version, CompiledRule] = {}
        self._lock = threading.Lock()

    def keep(self, rule_set: RuleSet, now_ms: int) -> None:
        """Store the versions of the rules as they are now that were never stored before.

        Args:
            rule_set: the rules.
            now_ms: epoch ms.

        Cost: nothing while the rules stay as they are; else one insert, and the first time one query over the ids of
        all versions.
        """
        if rule_set is self._rule_set:
            return
        with self._lock:
            self._keep(rule_set, now_ms)

    def of(self, messages: Iterable[QueuedMessage]) -> Mapping[Version, CompiledRule]:
        """Return the versions that messages were asked for by, of rules that are still there.

        An older version goes by the segments, stages and scores of today; a version that they make impossible is left
        out.

        Cost: nothing for versions that were asked for before; else one query for the text of older versions, by key.
        """
        wanted = {(message.rule, message.version) for message in messages}
        with self._lock:
            return self._of(wanted)

    def _keep(self, rule_set: RuleSet, now_ms: int) -> None:
        stored = self._read_stored() if self._stored is None else self._stored
        fresh = [rule for rule in rule_set.rules if _version(rule) not in stored]
        self._records.store_versions(fresh, now_ms)
        self._stored = stored | set(map(_version, fresh))
        self._rule_set = rule_set
        self._compiled = {}

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
        for rule_id, version, source in self._queries.query(statement("rule_versions"), parameters):
            if (rule_id, version) in versions:
                reading = read_rule(source, f"{rule_id} {version}", names)
                if reading.rule is None:
                    _log.error("version_unreadable", problems=[str(problem) for problem in reading.problems])
                else:
                    # The id that it had then: what goes into one may change from release to release.
                    found.append(msgspec.structs.replace(reading.rule, version=version))
        return found

    def _read_stored(self) -> set[Version]:
        return {(rule, version) for rule, version in self._queries.query(statement("known_versions"))}


def _version(rule: Rule) -> Version:
    return rule.id, rule.version

"""audiences.yaml: the segments, stages and scores that rules refer to by name."""

from __future__ import annotations

from typing import Final

import msgspec
import yaml

from trigger_worker.rules.files.definitions import Key, mentions_of, reason, settled
from trigger_worker.rules.files.expressions import read_definition
from trigger_worker.rules.files.fields import Fields, found_in, parsed_scalar
from trigger_worker.rules.files.problem import Problem
from trigger_worker.rules.files.scalars import parse_id
from trigger_worker.rules.files.source import Source
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.rules.language.references import AudienceKind
from trigger_worker.rules.language.syntax import Expression
from trigger_worker.rules.model import NO_AUDIENCES, Audiences

_SECTIONS: Final[dict[str, AudienceKind]] = {"segments": "segment", "stages": "stage", "scores": "score"}

Nodes = dict[Key, yaml.Node]


class AudiencesReading(msgspec.Struct, frozen=True):
    """What can be used of audiences.yaml, and its problems in the order of the file."""

    audiences: Audiences
    problems: list[Problem]


def names_of(audiences: Audiences) -> AudienceNames:
    """Returns the names that rules may refer to."""
    return AudienceNames(frozenset(audiences.segments), frozenset(audiences.stages), frozenset(audiences.scores))


def read_audiences(text: str, path: str) -> AudiencesReading:
    """Reads and checks audiences.yaml; never raises for what an author may write.

    A definition with errors is left out, and so is whatever refers to it. As the first true stage
    wins, a stage with errors leaves out all stages.

    Args:
        text: the file's contents.
        path: the file, as problems name it.
    """
    source = Source(path, text)
    node = source.compose()
    audiences = NO_AUDIENCES
    if isinstance(node, yaml.MappingNode):
        audiences = _audiences(source, _definitions(source, node))
    elif node is not None:
        source.report(node, f"expected audiences, found {found_in(node)}", "write keys such as segments:")
    return AudiencesReading(audiences, sorted(source.problems, key=lambda each: (each.line, each.column)))


def _definitions(source: Source, root: yaml.MappingNode) -> Nodes:
    fields = Fields(source, root, _SECTIONS, "audiences.yaml")
    nodes: Nodes = {}
    for section, kind in _SECTIONS.items():
        section_node = fields.node_of(section)
        if section_node is None:
            continue
        if not isinstance(section_node, yaml.MappingNode):
            source.report(section_node, f"expected {kind} names, found {found_in(section_node)}")
            continue
        for name_node, definition in section_node.value:
            name = parsed_scalar(source, name_node, parse_id)
            if name is not None and Key(kind, name) in nodes:
                source.report(name_node, f'the {kind} "{name}" stands here twice', "keep one of them")
            elif name is not None:
                nodes[Key(kind, name)] = definition
    return nodes


def _audiences(source: Source, nodes: Nodes) -> Audiences:
    expressions = _expressions(source, nodes)
    mentions = mentions_of(expressions)
    usable = settled(mentions)
    for key in expressions.keys() - usable:
        node = nodes[key]
        if isinstance(node, yaml.ScalarNode):
            source.report_inside(node, reason(key, mentions, usable))
    return _group({key: node for key, node in expressions.items() if key in usable})


def _expressions(source: Source, nodes: Nodes) -> dict[Key, Expression]:
    names = AudienceNames(*(frozenset(key.name for key in nodes if key.kind == kind) for kind in _SECTIONS.values()))
    read = {
        key: read_definition(source, node, "number" if key.kind == "score" else "boolean", names)
        for key, node in nodes.items()
    }
    has_broken_stage = any(key.kind == "stage" and node is None for key, node in read.items())
    return {
        key: node for key, node in read.items() if node is not None and not (has_broken_stage and key.kind == "stage")
    }


def _group(expressions: dict[Key, Expression]) -> Audiences:
    groups: dict[AudienceKind, dict[str, Expression]] = {"segment": {}, "stage": {}, "score": {}}
    for key, node in expressions.items():
        groups[key.kind][key.name] = node
    return Audiences(groups["segment"], groups["stage"], groups["score"])

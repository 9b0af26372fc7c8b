"""Read audiences.yaml: the segments, stages and scores that rules and other audiences refer to by name.

An audience can be used when every audience that it refers to can be used; circles are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec
import yaml

from trigger_worker.rules.files.expressions import read_definition
from trigger_worker.rules.files.fields import Fields, found_in, parsed_scalar
from trigger_worker.rules.files.scalars import parse_id
from trigger_worker.rules.files.source import Problem, Source
from trigger_worker.rules.language import names
from trigger_worker.rules.language.check import AudienceNames
from trigger_worker.rules.language.errors import Finding
from trigger_worker.rules.language.syntax import Audience, Expression, Name, children
from trigger_worker.rules.model import NO_AUDIENCES, Audiences

AudienceKind = Literal["segment", "stage", "score"]

_SECTIONS: Final[dict[str, AudienceKind]] = {"segments": "segment", "stages": "stage", "scores": "score"}


class _Key(msgspec.Struct, frozen=True):
    """The kind and name of an audience; a stage without a name stands for all stages, as `stage` refers to them."""

    kind: AudienceKind
    name: str

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}"' if self.name else f"{self.kind}s"


class _Mention(msgspec.Struct, frozen=True):
    """A reference to an audience, `start` characters into the text of another."""

    key: _Key
    start: int


_Mentions = Mapping[_Key, list[_Mention]]
_Nodes = dict[_Key, yaml.Node]


class AudiencesReading(msgspec.Struct, frozen=True):
    """The usable audiences of audiences.yaml, and its problems in the order of the file."""

    audiences: Audiences
    problems: list[Problem]


def names_of(audiences: Audiences) -> AudienceNames:
    """Return the names that rules may refer to."""
    return AudienceNames(frozenset(audiences.segments), frozenset(audiences.stages), frozenset(audiences.scores))


def read_audiences(text: str, path: str) -> AudiencesReading:
    """Read and check audiences.yaml; mistakes of the author become problems, never exceptions.

    A definition with errors is left out, and so is every definition that refers to it. As the first true stage
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


def references(node: Expression) -> Iterator[tuple[AudienceKind, str, int]]:
    """Yield kind, name and offset of every reference in an expression; `stage` as a whole has an empty name."""
    if isinstance(node, Audience):
        yield node.kind, node.name, node.start
    elif isinstance(node, Name) and node.path == names.STAGE:
        yield "stage", "", node.start
    for child in children(node):
        yield from references(child)


def _definitions(source: Source, root: yaml.MappingNode) -> _Nodes:
    fields = Fields(source, root, _SECTIONS, "audiences.yaml")
    nodes: _Nodes = {}
    for section, kind in _SECTIONS.items():
        section_node = fields.node_of(section)
        if section_node is None:
            continue
        if not isinstance(section_node, yaml.MappingNode):
            source.report(section_node, f"expected {kind} names, found {found_in(section_node)}")
            continue
        for name_node, definition in section_node.value:
            name = parsed_scalar(source, name_node, parse_id)
            if name is not None and _Key(kind, name) in nodes:
                source.report(name_node, f'the {kind} "{name}" stands here twice', "keep one of them")
            elif name is not None:
                nodes[_Key(kind, name)] = definition
    return nodes


def _audiences(source: Source, nodes: _Nodes) -> Audiences:
    expressions = _expressions(source, nodes)
    mentions = _mentions_of(expressions)
    usable = _settled(mentions)
    for key in expressions.keys() - usable:
        node = nodes[key]
        if isinstance(node, yaml.ScalarNode):
            source.report_inside(node, _reason(key, mentions, usable))
    return _group({key: node for key, node in expressions.items() if key in usable})


def _expressions(source: Source, nodes: _Nodes) -> dict[_Key, Expression]:
    names = AudienceNames(*(frozenset(key.name for key in nodes if key.kind == kind) for kind in _SECTIONS.values()))
    read = {
        key: read_definition(source, node, "number" if key.kind == "score" else "boolean", names)
        for key, node in nodes.items()
    }
    has_broken_stage = any(key.kind == "stage" and node is None for key, node in read.items())
    return {
        key: node for key, node in read.items() if node is not None and not (has_broken_stage and key.kind == "stage")
    }


def _group(expressions: dict[_Key, Expression]) -> Audiences:
    groups: dict[AudienceKind, dict[str, Expression]] = {"segment": {}, "stage": {}, "score": {}}
    for key, node in expressions.items():
        groups[key.kind][key.name] = node
    return Audiences(groups["segment"], groups["stage"], groups["score"])


def _mentions_of(expressions: Mapping[_Key, Expression]) -> dict[_Key, list[_Mention]]:
    """Return the references of each audience; a reference to `stage` is one to every stage.

    Where all stages had to be left out, it is one to the stages as a whole, which do not exist.
    """
    stages = [key for key in expressions if key.kind == "stage"] or [_Key("stage", "")]
    found: dict[_Key, list[_Mention]] = {}
    for owner, node in expressions.items():
        found[owner] = []
        for kind, name, start in references(node):
            keys = stages if kind == "stage" else [_Key(kind, name)]
            found[owner].extend(_Mention(key, start) for key in keys)
    return found


def _settled(mentions: _Mentions) -> set[_Key]:
    """Return the audiences that refer, step by step, only to audiences that exist."""
    done: set[_Key] = set()
    while True:
        ready = {
            key for key, found in mentions.items() if key not in done and all(mention.key in done for mention in found)
        }
        if not ready:
            return done
        done |= ready


def _reason(key: _Key, mentions: _Mentions, done: set[_Key]) -> Finding:
    """Return why an audience cannot be used: it refers to itself, or to an audience that cannot be used."""
    path, start = [key], 0
    while True:
        mention = next(each for each in mentions[path[-1]] if each.key not in done)
        start = start if len(path) > 1 else mention.start
        if mention.key == key:
            circle = " -> ".join(str(each) for each in (*path, key))
            return Finding(f"{key} refers to itself: {circle}", start)
        if mention.key in path or mention.key not in mentions:
            return Finding(f"{key} refers to {path[1] if len(path) > 1 else mention.key}, which cannot be used", start)
        path.append(mention.key)

"""Read the values of a YAML mapping one by one; a value that does not fit becomes a problem of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import yaml

from trigger_worker.rules.files.source import Source
from trigger_worker.rules.language.duration import LONGEST_WINDOW_MS, parse_duration
from trigger_worker.rules.language.errors import Finding, RuleSyntaxError, did_you_mean
from warehouse.errors import RuleError

Parsed = TypeVar("Parsed")

_BOOLEAN_TAG: Final = "tag:yaml.org,2002:bool"
_NULL_TAG: Final = "tag:yaml.org,2002:null"
_TRUE: Final = frozenset({"true", "yes", "on"})


class Fields:
    """The entries of one YAML mapping.

    Args:
        source: the file; takes a problem for each unknown and each repeated key.
        node: the mapping.
        known: the keys that it may have.
        what: the thing that the mapping describes, for messages, such as `a rule`.
    """

    def __init__(self, source: Source, node: yaml.MappingNode, known: Iterable[str], what: str) -> None:
        self.source = source
        self.node = node
        self.has_unknown = False
        self._values: dict[str, yaml.Node] = {}
        names = frozenset(known)
        for key_node, value_node in node.value:
            name = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            if name not in names:
                self.has_unknown = True
                hint = did_you_mean(name, names) or f"known keys are {', '.join(sorted(names))}"
                source.report(key_node, f'{what} has no key "{name}"', hint)
            elif name in self._values:
                source.report(key_node, f'the key "{name}" stands here twice', "keep one of them")
            else:
                self._values[name] = value_node

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def require(self, names: Iterable[str], what: str) -> None:
        """Report each required key that the mapping lacks."""
        for name in names:
            if name not in self:
                self.source.report(self.node, f"{what} needs {name}", f"add {name}: and its value")

    def node_of(self, name: str) -> yaml.Node | None:
        """Return the node that is the value of a key, None when the key is absent."""
        return self._values.get(name)

    def line_of(self, name: str) -> int:
        """Return the line on which the value of a key begins, from 1; 1 when the key is absent."""
        node = self._values.get(name)
        return 1 if node is None else int(node.start_mark.line) + 1

    def parsed(self, name: str, parse: Callable[[str], Parsed]) -> Parsed | None:
        """Return a value parsed by `parse`; None when the key is absent or, with a problem, on a RuleError."""
        node = self._values.get(name)
        return None if node is None else parsed_scalar(self.source, node, parse)

    def text(self, name: str) -> str | None:
        """Return a value as text."""
        return self.parsed(name, str)

    def duration_ms(self, name: str, *, zero_allowed: bool = False) -> int | None:
        """Return a duration in ms."""
        return self.parsed(name, lambda text: _duration_ms(text, zero_allowed=zero_allowed))

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return a value that is one of a few words."""
        return self.parsed(name, lambda text: choose(text, choices))

    def boolean(self, name: str) -> bool | None:
        """Return a value that is true or false."""
        node = self._values.get(name)
        if node is None:
            return None
        if node.tag != _BOOLEAN_TAG:
            self.source.report(node, f"expected true or false, found {found_in(node)}")
            return None
        return str(node.value).lower() in _TRUE

    def mapping(self, name: str, known: Iterable[str], what: str) -> Fields | None:
        """Return a value that is a mapping of its own."""
        node = self._values.get(name)
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            self.source.report(node, f"expected {what}, found {found_in(node)}")
            return None
        return Fields(self.source, node, known, what)

    def items(self, name: str) -> list[yaml.Node]:
        """Return the entries of a value that is a list."""
        node = self._values.get(name)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.source.report(node, f"expected a list, found {found_in(node)}", f"write {name}: [...]")
            return []
        return list(node.value)


def parsed_scalar(source: Source, node: yaml.Node, parse: Callable[[str], Parsed]) -> Parsed | None:
    """Return a scalar parsed by `parse`; None, with a problem, when it raises RuleError."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL_TAG:
        source.report(node, f"expected a value, found {found_in(node)}")
        return None
    try:
        return parse(node.value)
    except RuleSyntaxError as error:
        source.report_inside(node, error.finding)
    except RuleError as error:
        source.report_inside(node, Finding(error.message, 0, error.hint))
    return None


def found_in(node: yaml.Node) -> str:
    """Return a node in words, for messages: its text, or its kind."""
    if node.tag == _NULL_TAG:
        return "nothing"
    if isinstance(node, yaml.ScalarNode):
        return f'"{node.value[:60]}"'
    return "a mapping" if isinstance(node, yaml.MappingNode) else "a list"


def _duration_ms(text: str, *, zero_allowed: bool) -> int:
    if zero_allowed and text.strip() == "0":
        return 0
    duration_ms = parse_duration(text)
    if duration_ms > LONGEST_WINDOW_MS or (duration_ms == 0 and not zero_allowed):
        raise RuleError(f'expected a duration of more than 0 and at most 400d, found "{text}"')
    return duration_ms


def choose(text: str, choices: Sequence[str]) -> str:
    """Return a text that is one of a few words.

    Raises:
        RuleError: the text is none of them.
    """
    if text not in choices:
        raise RuleError(f'expected {" or ".join(choices)}, found "{text}"', did_you_mean(text, choices))
    return text

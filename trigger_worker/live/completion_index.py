"""An index from an event to the rules whose last step it may be, so that not every rule is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.evaluate.event import Event, read_field
from trigger_worker.rules.evaluate.selector import Selector, compile_selection
from trigger_worker.rules.language.names import field_path
from trigger_worker.rules.language.syntax import ANY, And, Comparison, Expression, Name, Text
from warehouse.vocabulary import MESSAGE_EVENTS

_Path = tuple[str, ...]


class Completion(msgspec.Struct, frozen=True, eq=False):
    """The rules that share one last step and one wait.

    Args:
        selector: accepts the events that may be the last step.
        wait_ms: how long after that event the rules match, ms.
        rules: the rules with this last step.
    """

    selector: Selector
    wait_ms: int
    rules: frozenset[CompiledRule]

    def is_by(self, event: Event) -> bool:
        """Tell whether an event of the right name may be the last step."""
        test = self.selector.test
        return test is None or test(event.fields) is True


class CompletionIndex:
    """Last steps by event name, and by the text that a field of the event must have.

    Shops have many rules that differ in a product or a category; an event meets the few of its own.

    Args:
        rules: the live rules.
    """

    def __init__(self, rules: Iterable[CompiledRule]) -> None:
        alike: dict[tuple[str, int], list[CompiledRule]] = defaultdict(list)
        for compiled in rules:
            alike[compile_selection(compiled.last_step).key, compiled.needs.wait_ms].append(compiled)
        self._by_name: dict[str, _ByText] = defaultdict(_ByText)
        for same in alike.values():
            selection, needs = same[0].last_step, same[0].needs
            completion = Completion(compile_selection(selection), needs.wait_ms, frozenset(same))
            for name in needs.trigger_names:
                self._by_name[name].add(_required_text(selection.condition), completion)

    def likely(self, event: Event) -> Iterator[Completion]:
        """Yield every completion that an event may bring about, and few others."""
        names = (event.name,) if event.name in MESSAGE_EVENTS else (event.name, ANY)
        for name in names:
            if name in self._by_name:
                yield from self._by_name[name].likely(event)


class _ByText:
    """Completions by a field and the text that it must have; completions without such a field are kept apart."""

    def __init__(self) -> None:
        self._by_path: dict[_Path, dict[str, list[Completion]]] = {}
        self._others: list[Completion] = []

    def add(self, required: tuple[_Path, str] | None, completion: Completion) -> None:
        if required is None:
            self._others.append(completion)
        else:
            path, text = required
            self._by_path.setdefault(path, {}).setdefault(text, []).append(completion)

    def likely(self, event: Event) -> Iterator[Completion]:
        for path, by_text in self._by_path.items():
            value = read_field(event.fields, path)
            if isinstance(value, str):
                yield from by_text.get(value, _NONE)
        yield from self._others


def _required_text(condition: Expression | None) -> tuple[_Path, str] | None:
    """Return a field and the text without which a condition is false, if the condition names one."""
    parts = condition.operands if isinstance(condition, And) else (condition,)
    for part in parts:
        match part:
            case Comparison(operator="==", left=Name() as name, right=Text(value=text)):
                return field_path(name), text
    return None


_NONE: Final[Sequence[Completion]] = ()

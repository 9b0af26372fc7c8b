"""Which audiences an expression refers to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from trigger_worker.rules.language import names
from trigger_worker.rules.language.syntax import Audience, Expression, Name, children

AudienceKind = Literal["segment", "stage", "score"]


def references(node: Expression) -> Iterator[tuple[AudienceKind, str, int]]:
    """Yields kind, name and offset of every reference; `stage` as a whole has an empty name."""
    if isinstance(node, Audience):
        yield node.kind, node.name, node.start
    elif isinstance(node, Name) and node.path == names.STAGE:
        yield "stage", "", node.start
    for child in children(node):
        yield from references(child)

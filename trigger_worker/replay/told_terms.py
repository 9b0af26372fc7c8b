"""The tree of an `if`, with the value of each part, and the first part that made it fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trigger_worker.replay.explanation import Failure, TermTold
from trigger_worker.rules.evaluate.expression import Explanation
from trigger_worker.rules.language.syntax import And, Audience, Duration, Expression, Literals, Since, children
from trigger_worker.rules.model import Audiences


def tell_term(node: Expression, explanation: Explanation, audiences: Audiences) -> TermTold:
    """Return a part of an expression with its own parts, literals left out: they say what they are worth."""
    parts = tuple(
        tell_term(child, found, audiences)
        for child, found in zip(_parts(node, audiences), explanation.children, strict=False)
        if not isinstance(child, Literals)
    )
    return TermTold(explanation.text, explanation.value, "ms" if isinstance(node, Since | Duration) else "", parts)


def first_failure(node: Expression, explanation: Explanation, audiences: Audiences) -> Failure | None:
    """Return the first condition of an `if` that is not true; None when it is true."""
    if explanation.value is True:
        return None
    if isinstance(node, And) or (isinstance(node, Audience) and node.kind == "segment"):
        for child, found in zip(_parts(node, audiences), explanation.children, strict=True):
            failure = first_failure(child, found, audiences)
            if failure is not None:
                return failure
    told = tell_term(node, explanation, audiences)
    return Failure("if", told.text, told.value, tuple(_leaves(told.parts)))


def _parts(node: Expression, audiences: Audiences) -> Sequence[Expression]:
    if isinstance(node, Audience):
        known = audiences.scores if node.kind == "score" else audiences.segments
        return (known[node.name],)
    return children(node)


def _leaves(terms: Sequence[TermTold]) -> Iterator[TermTold]:
    for term in terms:
        if term.parts:
            yield from _leaves(term.parts)
        else:
            yield term

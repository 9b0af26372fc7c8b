from __future__ import annotations

import re

import pytest

from warehouse import errors
from warehouse.errors import MicromomentError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MicromomentError)]
WORTH_RETRYING = {errors.WarehouseUnavailable, errors.JournalFull, errors.DeliveryUnavailable}


@pytest.mark.parametrize("kind", KINDS)
def test_message_and_remedy_are_told(kind: type[MicromomentError]) -> None:
    error = kind("the disk is full", "free some space")
    assert str(error) == "the disk is full\n  remedy: free some space"
    assert (error.message, error.hint) == ("the disk is full", "free some space")
    assert str(kind("the disk is full")) == "the disk is full"


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_may_pass_by_itself_is_worth_retrying(kind: type[MicromomentError]) -> None:
    assert kind.retryable is (kind in WORTH_RETRYING)


def test_the_drawing_shows_the_tree_as_it_is() -> None:
    drawing = (errors.__doc__ or "").partition("\n\n")[2]
    drawn = re.findall(r"^([│ ├└─]*)([A-Z]\w+)", drawing, re.MULTILINE)
    path: list[str] = []
    parents = {}
    for indent, name in drawn:
        path = [*path[: len(indent) // 4], name]
        parents[name] = path[-2] if len(path) > 1 else "Exception"
    assert parents == {kind.__name__: kind.__base__.__name__ for kind in KINDS if kind.__base__}

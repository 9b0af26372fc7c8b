from __future__ import annotations

import pytest

from collector.intake.drops import DropReason
from tests.collector.messages import dropped, kept, message
from warehouse.limits import MAX_NAME_LENGTH
from warehouse.vocabulary import SEGMENT_EVENT_NAMES


@pytest.mark.parametrize(("segments", "ours"), SEGMENT_EVENT_NAMES.items())
def test_segments_commerce_names_are_translated(segments: str, ours: str) -> None:
    assert kept(message(event=segments)).event == ours


@pytest.mark.parametrize("name", ["view_item", "Colour Picked", "größe_gewählt", "x" * MAX_NAME_LENGTH])
def test_other_names_are_kept(name: str) -> None:
    assert kept(message(event=f" {name} ")).event == name


@pytest.mark.parametrize("name", [None, "", "  ", "x" * (MAX_NAME_LENGTH + 1), "a\nb", "a\u0000b", "a\u202eb"])
def test_a_name_that_cannot_be_shown_in_a_list_is_refused(name: str | None) -> None:
    assert dropped(message(event=name)).reason is DropReason.NO_NAME


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("page", "page_view"),
        ("screen", "screen_view"),
        ("identify", "identify"),
        ("group", "group"),
        ("alias", "alias"),
    ],
)
def test_calls_other_than_track_are_named_by_their_type(kind: str, name: str) -> None:
    row = kept(message(type=kind, event=None, userId="ada"))
    assert (row.type, row.event) == (kind, name)

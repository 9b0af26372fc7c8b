from __future__ import annotations

import re

from warehouse import vocabulary


def test_names_are_snake_case_and_said_once() -> None:
    names = [name for group in vocabulary.EVENT_GROUPS.values() for name in group]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    assert len(names) == len(set(names)) == len(vocabulary.EVENT_NAMES)


def test_segments_names_lead_to_ours() -> None:
    assert set(vocabulary.SEGMENT_EVENT_NAMES.values()) <= vocabulary.EVENT_NAMES


def test_a_field_has_one_home() -> None:
    assert not set(vocabulary.COLUMN_FIELDS) & set(vocabulary.PROPERTY_FIELDS)


def test_what_rules_ask_of_the_visitor_has_a_column() -> None:
    assert set(vocabulary.CONTEXT_FIELDS) <= set(vocabulary.COLUMN_FIELDS)

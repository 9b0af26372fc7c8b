from __future__ import annotations

from warehouse import limits


def test_limits_fit_into_each_other() -> None:
    assert limits.MAX_EVENT_BYTES < limits.MAX_BODY_BYTES < limits.MAX_INFLATED_BYTES
    assert limits.MAX_NAME_LENGTH < limits.MAX_TEXT_LENGTH < limits.MAX_EVENT_BYTES


def test_limits_are_those_of_segments_tracking_api() -> None:
    assert (limits.MAX_EVENT_BYTES, limits.MAX_BODY_BYTES, limits.MAX_EVENTS_PER_BATCH) == (32_768, 512_000, 2500)

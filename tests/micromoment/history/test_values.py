"""JSON that is no JSON lines: arrays, envelopes, objects over several lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micromoment.history.values import json_values
from tests.micromoment.history.files import line, load_bytes
from tests.micromoment.history.test_lines import cut
from warehouse.connection import Warehouse

THREE = [line(number) for number in (1, 2, 3)]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='ab"\\[]{},\n'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='x"\\]{'), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(THREE), id="an array on one line"),
        pytest.param(json.dumps(THREE, indent=2), id="an array over many lines"),
        pytest.param("[" + ",\n".join(map(json.dumps, THREE)) + "]", id="an array with an element a line"),
        pytest.param("\n".join(json.dumps([each]) for each in THREE), id="an array a line"),
        pytest.param("\n".join(json.dumps(each, indent=2) for each in THREE), id="objects over several lines"),
        pytest.param(json.dumps({"batch": THREE}), id="a body of the tracking API"),
        pytest.param(json.dumps({"writeKey": "k", "n": 1, "batch": THREE}, indent=1), id="a body over many lines"),
        pytest.param("\n\n  " + json.dumps(THREE) + "\n\n", id="an array between blank lines"),
        pytest.param("[" + ",".join(map(json.dumps, THREE)) + ",]", id="an array with a comma too many"),
    ],
)
def test_json_is_read_value_by_value(warehouse: Warehouse, tmp_path: Path, text: str) -> None:
    report = load_bytes(warehouse, tmp_path, text.encode())
    assert (report.stored, report.lines, report.is_complete) == (3, 3, True), report.examples
    assert load_bytes(warehouse, tmp_path, text.encode()).known == 3


def test_what_is_wrong_inside_an_array_is_told_by_line_and_spoils_nothing_else(
    embedded_warehouse: Warehouse, tmp_path: Path
) -> None:
    parts = [json.dumps(THREE[0]), "5", '{"type": "track", nonsense}', json.dumps(THREE[1]), "[1, {}]"]
    report = load_bytes(embedded_warehouse, tmp_path, ("[\n" + ",\n".join(parts) + "\n]").encode())
    assert (report.stored, report.dropped) == (2, {"malformed": 3})
    assert [example.split(":")[0] for example in report.examples] == ["line 3", "line 4", "line 6"]


@pytest.mark.parametrize(("end", "reasons"), [(-1, ["cut_off"]), (-40, ["cut_off"])])
def test_an_array_that_does_not_end_gives_what_is_there(
    embedded_warehouse: Warehouse, tmp_path: Path, end: int, reasons: list[str]
) -> None:
    report = load_bytes(embedded_warehouse, tmp_path, json.dumps(THREE).encode()[:end])
    assert report.stored == (3 if end == -1 else 2)
    assert list(report.dropped) == reasons


def test_a_very_long_value_is_passed_over_in_bounded_memory() -> None:
    def blocks() -> Any:
        yield b'[{"a": 1},\n{"b": "'
        for _ in range(2000):
            yield b'\\"}]{[\n\\\\' * 5000
        yield b'", "c": [1, {"d": 2}]}, {"e": 1}]'

    noted: list[tuple[int, str]] = []
    values = list(json_values(blocks(), lambda number, reason, _: noted.append((number, reason))))
    assert [value for _, value in values] == [b'{"a": 1}', b'{"e": 1}']
    assert [reason for _, reason in noted] == ["too_large"]
    assert values[1][0] == 2 + 2000 * 5000


@given(
    st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=5),
    st.lists(st.integers(1, 9), min_size=1),
    st.sampled_from([None, 1]),
)
def test_the_elements_of_any_array_are_found_in_whatever_pieces_it_comes(
    elements: list[dict[str, Any]], sizes: list[int], indent: int | None
) -> None:
    text = json.dumps(elements, indent=indent, ensure_ascii=False)
    found = list(json_values(cut(text.encode(), sizes), refuse))
    assert [json.loads(value) for _, value in found] == elements
    if indent:
        assert [number for number, _ in found] == [number for number, _ in json_values([text.encode()], refuse)]


def refuse(number: int, reason: str, detail: str) -> None:
    raise AssertionError(number, reason, detail)

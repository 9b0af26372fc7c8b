"""Examples of events with a fault: of use to whoever mends them, and without anything personal."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.intake.draft import WarningReason
from collector.intake.examples import Example, Sighting, example_of, sender_of, without_values
from collector.intake.pipeline import run
from tests.collector.messages import RECEIPT, SHOP, message

PERSONAL: Final = (
    *("ann@example.com", "+49 171 2345678", "0171/2345678", "4111 1111 1111 1111", "'Ann Smith'", '"Ann Smith"'),
    "1729384756102938475",
)


@pytest.mark.parametrize("value", PERSONAL)
def test_what_may_be_somebodys_is_left_out(value: str) -> None:
    assert without_values(f"before {value}, in x") in {"before ..., in x", "before ... in x", "before +..., in x"}


@pytest.mark.parametrize(
    "detail",
    [
        "give event, of 1 to 100 printable characters",
        "40000 bytes; an event may have 32768",
        "properties.items[12].price: no number that JSON has; read as null",
        "Expected `object | null`, got `array` - at `$.properties`",
    ],
)
def test_what_says_how_to_mend_it_stays(detail: str) -> None:
    assert without_values(detail) == detail


LIBRARIES: Final[list[tuple[Any, str]]] = [
    ({"name": "analytics-python", "version": "2.3.4"}, "analytics-python 2.3.4"),
    ({"name": "@segment/analytics-node", "version": "2.1.0-beta.1+5"}, "@segment/analytics-node 2.1.0-beta.1+5"),
    ({"name": "analytics.js"}, "analytics.js"),
    ({"name": "analytics.js", "version": "ann@example.com"}, "analytics.js"),
    ({"name": "analytics.js", "version": 2}, "analytics.js"),
    ({"name": "Ann Smith", "version": "1"}, ""),
    ({"name": "ann@example.com"}, ""),
    ({"name": "x" * 41}, ""),
    ({"name": 7}, ""),
    ({"version": "1"}, ""),
    ("analytics.js", ""),
    (None, ""),
]


@pytest.mark.parametrize(("library", "expected"), LIBRARIES)
def test_the_sender_is_the_library_where_the_context_names_one(library: Any, expected: str) -> None:
    assert sender_of({"library": library}) == expected


def test_an_event_by_itself_says_its_name_and_its_sender_or_its_batchs() -> None:
    own = msgspec.json.encode(message(event="quiz_done", context={"library": {"name": "own", "version": "1"}}))
    batchs = {"library": {"name": "batch's", "version": "2"}}
    assert example_of(Sighting("detail", "", batchs, own)) == Example("quiz_done", "own 1", "detail")
    plain = msgspec.json.encode({"type": "page"})
    assert example_of(Sighting("detail", "", {"library": {"name": "shared"}}, plain)) == Example(
        "page", "shared", "detail"
    )
    assert example_of(Sighting("d", message=b'{"event":"half \\ud83d"}')) == Example("half \ufffd", "", "d")
    assert example_of(Sighting("d", message=b"rubbish")) == Example("", "", "d")


@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.text()).map(msgspec.json.encode), st.text(max_size=500))
def test_an_example_of_anything_is_bounded(raw: bytes, detail: str) -> None:
    example = example_of(Sighting(detail, message=raw))
    assert (len(example.event) <= 64, len(example.sender) <= 107, len(example.detail) <= 200) == (True, True, True)


def test_a_batch_has_an_example_of_each_reason() -> None:
    nan = b'{"type":"track","anonymousId":"a","event":"quiz_done","properties":{"x":NaN}}'
    sent = [
        msgspec.json.encode(message(event="")),
        msgspec.json.encode(message(event=" ")),
        msgspec.json.encode(message(anonymousId=None)),
        nan,
        b"rubbish",
    ]
    outcome = run([msgspec.Raw(each) for each in sent], SHOP, RECEIPT, {"library": {"name": "analytics.js"}})
    examples = {key: example_of(seen) for key, seen in outcome.sightings.items()}
    assert {key: (each.event, each.sender) for key, each in examples.items()} == {
        ("drop", "no_name"): ("", "analytics.js"),
        ("drop", "no_visitor"): ("view_item", "analytics.js"),
        ("drop", "malformed"): ("", "analytics.js"),
        ("warning", "number_repaired"): ("quiz_done", "analytics.js"),
    }
    assert WarningReason.NUMBER_REPAIRED in {warning.reason for warning in outcome.warnings}

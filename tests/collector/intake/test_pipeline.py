from __future__ import annotations

import string
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from collector.intake import pipeline
from collector.intake.body import read_batch
from collector.intake.draft import Draft, Drop, DropReason, Receipt
from collector.intake.pipeline import BYTES_AT_ONCE, MESSAGES_AT_ONCE
from collector.sites import Site
from tests.collector.messages import NOON, RECEIPT, SHOP, dropped, kept, message, processed
from tests.warehouse.rows import store
from warehouse.browser_id import make_browser_id
from warehouse.connection import Warehouse
from warehouse.event import EventRow
from warehouse.limits import (
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    MAX_EVENTS_PER_BATCH,
    MAX_NESTED,
    MAX_RAW_EVENT_BYTES,
    MAX_TEXT_LENGTH,
)
from warehouse.vocabulary import COLUMN_FIELDS

PROVEN_ONLY = Site("shop", "shop-key", identity="required")
OPT_IN = Site("shop", "shop-key", consent="opt-in")
IMPORT = Receipt(received_at=NOON, source="import")

#: One message for each reason that a message alone can give. Batches and repeats give the other two.
DROPPED: list[tuple[DropReason, Any, dict[str, Any]]] = [
    (DropReason.MALFORMED, {"type": "teleport", "messageId": "m-1"}, {}),
    (DropReason.NO_NAME, message(event=""), {}),
    (DropReason.RESERVED, message(event="email_bounced"), {}),
    (DropReason.UNSUPPORTED, message(event="$snapshot"), {}),
    (DropReason.NO_VISITOR, message(anonymousId=None), {}),
    (DropReason.IDENTITY_UNPROVEN, message(anonymousId=None, userId="ada"), {"site": PROVEN_ONLY}),
    (DropReason.BROWSER_UNPROVEN, message(anonymousId=make_browser_id(NOON, "s" * 22)), {}),
    (DropReason.BAD_ID, message(anonymousId="x" * 129), {}),
    (DropReason.NO_TIMESTAMP, message(timestamp="yesterday"), {"receipt": IMPORT}),
    (DropReason.NO_CONSENT, message(), {"site": OPT_IN}),
    (DropReason.TOO_LARGE, message(properties={"note": "x" * MAX_EVENT_BYTES}), {}),
]

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
FIELDS = (
    *("type", "event", "name", "messageId", "anonymousId", "userId", "previousId", "groupId"),
    *("timestamp", "originalTimestamp", "sentAt", "properties", "traits", "context"),
)
#: Looks like a message, until one looks closer.
almost_messages = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, anything))
PROPERTIES = (*COLUMN_FIELDS, "items", "products", "item_id", "total", "query", "note")
#: A message that is one, with any properties and context under names that mean something.
full_messages = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "identify", "page", "screen", "group", "alias"]),
        "event": texts,
        "anonymousId": texts | st.integers(),
        "properties": st.dictionaries(st.sampled_from(PROPERTIES) | texts, anything, max_size=6),
        "context": st.dictionaries(
            st.sampled_from(["page", "campaign", "location", "consent", "seq", "sessionId", "timezone", "userAgent"]),
            anything,
            max_size=4,
        ),
    },
    optional={"messageId": texts, "timestamp": anything, "traits": st.dictionaries(texts, anything, max_size=3)},
)


def nested(depth: int) -> Any:
    value: Any = 1
    for number in range(depth):
        value = [value] if number % 2 else {"a": value}
    return value


json_numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


@pytest.mark.parametrize(("reason", "sent", "circumstances"), DROPPED, ids=[reason for reason, _, _ in DROPPED])
def test_every_drop_names_its_reason_and_its_message(
    reason: DropReason, sent: Any, circumstances: dict[str, Any]
) -> None:
    drop = dropped(sent, **circumstances)
    assert (drop.reason, drop.message_id) == (reason, "m-1")
    assert drop.detail


def test_the_table_of_drops_is_complete() -> None:
    elsewhere = {DropReason.TOO_MANY, DropReason.TOO_FAST, DropReason.DUPLICATE, DropReason.ERASED}
    of_webhooks = {DropReason.TOO_OLD, DropReason.UNPAID, DropReason.UNKNOWN_TOPIC, DropReason.TOLD_ELSEWHERE}
    assert {reason for reason, _, _ in DROPPED} | elsewhere | of_webhooks == set(DropReason)


def test_events_beyond_the_limit_of_a_batch_are_dropped_by_name() -> None:
    raw = [msgspec.Raw(msgspec.json.encode(message(messageId=f"m-{n}"))) for n in range(MAX_EVENTS_PER_BATCH + 2)]
    outcome = pipeline.run(raw, SHOP, RECEIPT, {})
    assert len(outcome.rows) == MAX_EVENTS_PER_BATCH
    assert [(drop.message_id, drop.reason) for drop in outcome.drops] == [
        (f"m-{MAX_EVENTS_PER_BATCH}", DropReason.TOO_MANY),
        (f"m-{MAX_EVENTS_PER_BATCH + 1}", DropReason.TOO_MANY),
    ]


def test_a_malformed_message_spoils_only_itself() -> None:
    body = b'{"batch": [%s, 7, null, {"type": 1}, %s]}' % (
        msgspec.json.encode(message(messageId="first")),
        msgspec.json.encode(message(messageId="last")),
    )
    outcome = pipeline.run(read_batch(body).batch, SHOP, RECEIPT, {})
    assert [row.event_id for row in outcome.rows] == ["first", "last"]
    assert [drop.reason for drop in outcome.drops] == [DropReason.MALFORMED] * 3


def test_a_messages_context_lies_over_that_of_its_batch() -> None:
    shared = {"locale": "de-DE", "campaign": {"source": "newsletter"}}
    row = kept(message(context={"locale": "en-GB"}), context=shared)
    assert (row.locale, row.utm_source) == ("en-GB", "newsletter")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b'{"type":"track","event":"a\xff","anonymousId":"c"}', id="no utf-8"),
        pytest.param(b'{"type":"track","event":"\\ud800","anonymousId":"c"}', id="half a surrogate pair"),
        pytest.param(b'{"type":"track","event":"e","anonymousId":"c","properties":{"a":NaN}}', id="NaN"),
        pytest.param(b'{"type":"track","event":"e","anonymousId":"c","properties":{"a":1e999}}', id="beyond a double"),
        pytest.param(
            b'{"type":"track","event":"e","anonymousId":"c","properties":{"a":%s}}' % (b"9" * 5000), id="5000 digits"
        ),
        pytest.param(
            b'{"type":"track","event":"e","anonymousId":"c","properties":{"a":%s}}' % (b"9" * 25), id="25 digits"
        ),
        pytest.param(b'{"type":"track","event":"e","anonymousId":%s}' % (b"9" * 5000), id="an id of 5000 digits"),
        pytest.param(
            b'{"type":"track","event":"e","anonymousId":"c","properties":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
            id="5000 levels",
        ),
        pytest.param(b'{"type":"track","event":"e","anonymousId":"c","timestamp":-1e308}', id="long before time"),
        pytest.param(b'{"type":"track","event":"e","anonymousId":"c","timestamp":1e308}', id="long after time"),
        pytest.param(b'{"type":"track","event":"e","anonymousId":"c","sentAt":-1e308}', id="sent before time"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[[[", id="no end"),
    ],
)
def test_json_at_its_worst_is_one_row_or_one_drop(sent: bytes) -> None:
    assert isinstance(processed(sent), EventRow | Drop)


@given(sent=anything | almost_messages | full_messages)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_one_row_or_one_drop(sent: Any) -> None:
    try:
        raw = msgspec.json.encode(sent)
    except OverflowError:  # an integer that JSON of ours never has
        raw = repr(sent).encode()
    outcome = pipeline.run([msgspec.Raw(raw)], SHOP, RECEIPT, {})
    assert len(outcome.rows) + len(outcome.drops) == 1
    for row in outcome.rows:
        assert 0 < len(msgspec.json.encode(row)) <= MAX_EVENT_BYTES
        assert all(len(getattr(row, name)) <= MAX_TEXT_LENGTH for name, kind in COLUMN_FIELDS.items() if kind == "text")


@given(number=json_numbers, name=st.sampled_from(["price", "name", "note", "seq"]))
@settings(max_examples=200, deadline=None)
def test_any_number_of_json_is_one_row_or_one_drop(number: str, name: str) -> None:
    sent = f'{{"type":"track","event":"e","anonymousId":"c","properties":{{"{name}":{number}}},"timestamp":{number}}}'
    assert isinstance(processed(sent.encode()), EventRow | Drop)


@given(sent=full_messages)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_message_makes_the_same_row_again(sent: dict[str, Any]) -> None:
    again = {**sent, "messageId": "m-1"}
    try:
        raw = msgspec.json.encode(again)
    except OverflowError:
        return
    assert processed(raw) == processed(raw)


def generated_rows() -> list[EventRow]:
    """Rows of messages with hostile text and numbers in every column, always the same ones."""
    found: list[EventRow] = []

    @given(
        text=st.text(alphabet=st.characters(codec="utf-8", include_characters="\x00\"\\'\n\t\u2028{}"), min_size=1),
        number=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    )
    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    def make(text: str, number: float) -> None:
        properties = {name: text if kind == "text" else number for name, kind in COLUMN_FIELDS.items()}
        outcome = processed(message(messageId=f"m-{len(found)}", properties={**properties, "note": text}))
        if isinstance(outcome, EventRow):
            found.append(outcome)

    make()
    return found


def test_clickhouse_gives_back_exactly_what_the_rows_say(warehouse: Warehouse) -> None:
    rows = {row.event_id: row for row in generated_rows()}
    assert len(rows) > 100
    store(warehouse, *rows.values())
    names = ("event_id", "props", *COLUMN_FIELDS)
    stored = warehouse.query(f"SELECT {', '.join(f'`{name}`' for name in names)} FROM events")
    assert len(stored) == len(rows)
    for values in stored:
        row = rows[values[0]]
        assert dict(zip(names, values, strict=True)) == {name: getattr(row, name) for name in names}


def test_the_steps_are_functions_with_names_that_say_what_they_do() -> None:
    allowed = set(string.ascii_lowercase + "_")
    assert all(set(step.__name__) <= allowed and step.__doc__ for step in pipeline.STEPS)
    assert len(set(pipeline.STEPS)) == len(pipeline.STEPS)


@pytest.mark.parametrize("where", ["properties", "traits"])
@pytest.mark.parametrize(
    ("value", "says"),
    [
        pytest.param(int("9" * 4000), "too large", id="price of 4,000 digits"),
        pytest.param(-int("9" * 310), "too large", id="below all floats"),
        pytest.param([{"price": int("9" * 400)}], "too large", id="inside an item"),
        pytest.param({"a": [[int("9" * 400)]]}, "too large", id="deep inside"),
        pytest.param(nested(MAX_DEPTH + 1), "inside each other", id="deep"),
        pytest.param(nested(900), "inside each other", id="very deep"),
        pytest.param({"a": [[]] * (MAX_NESTED + 1)}, "objects and lists", id="many"),
    ],
)
@pytest.mark.parametrize("name", ["price", "quantity", "value", "total", "items", "anything"])
def test_a_value_that_nobody_can_use_costs_its_event_and_no_other(where: str, name: str, value: Any, says: str) -> None:
    kinds = {"type": "identify"} if where == "traits" else {"event": "Product Viewed"}
    bad = message(messageId="bad", **kinds, **{where: {"price": 2.5, "quantity": 2, name: value}})
    raw = [msgspec.Raw(msgspec.json.encode(each)) for each in (bad, message(messageId="good"))]
    outcome = pipeline.run(raw, SHOP, RECEIPT, {})
    assert [row.event_id for row in outcome.rows] == ["good"]
    (drop,) = outcome.drops
    assert (drop.message_id, drop.reason) == ("bad", DropReason.MALFORMED)
    assert says in drop.detail
    assert repr(name) in drop.detail


def test_values_that_are_large_and_of_use_are_kept() -> None:
    properties = {"order": 10**30, "price": 10**20, "tree": nested(MAX_DEPTH), "text": "9" * 4000}
    row = kept(message(properties=properties))
    assert (row.price, msgspec.json.decode(row.props)["order"]) == (1e20, str(10**30))


def test_a_message_larger_than_any_event_is_not_even_read() -> None:
    raw = msgspec.json.encode(message(messageId="big", properties={"a": [{}] * MAX_RAW_EVENT_BYTES}))
    (drop,) = pipeline.run([msgspec.Raw(raw)], SHOP, RECEIPT, {}).drops
    assert (drop.message_id, drop.reason) == ("big", DropReason.TOO_LARGE)


def test_a_mistake_of_ours_about_one_message_costs_that_message_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(draft: Draft) -> None:
        if draft.message.label == "bad":
            raise ZeroDivisionError("ada@example.org")

    monkeypatch.setattr(pipeline, "_OTHER_STEPS", (mistaken, *pipeline._OTHER_STEPS))
    raw = [msgspec.Raw(msgspec.json.encode(message(messageId=name))) for name in ("first", "bad", "last")]
    with capture_logs() as logs:
        outcome = pipeline.run(raw, SHOP, RECEIPT, {})
    assert [row.event_id for row in outcome.rows] == ["first", "last"]
    assert [(drop.message_id, drop.reason) for drop in outcome.drops] == [("bad", DropReason.MALFORMED)]
    assert [(line["event"], line["error"]) for line in logs] == [("message_not_read", "ZeroDivisionError")]
    assert "ada@" not in str(logs) + outcome.drops[0].detail


def test_portions_of_a_batch_are_small_and_leave_nothing_out() -> None:
    sizes = [0, 1, MESSAGES_AT_ONCE, MESSAGES_AT_ONCE + 1, 2 * MESSAGES_AT_ONCE + 3, MAX_EVENTS_PER_BATCH + 3]
    for count in sizes:
        raw = [msgspec.Raw(msgspec.json.encode(message(messageId=f"m-{n}"))) for n in range(count)]
        outcomes = list(pipeline.run_in_portions(raw, SHOP, RECEIPT, {}))
        assert all(len(outcome.rows) <= MESSAGES_AT_ONCE for outcome in outcomes)
        ids = [row.event_id for outcome in outcomes for row in outcome.rows]
        assert ids == [f"m-{n}" for n in range(min(count, MAX_EVENTS_PER_BATCH))]
    large = message(properties={"a": "x" * (BYTES_AT_ONCE - 1000)})
    raw = [msgspec.Raw(msgspec.json.encode(large))] * 5
    assert [len(outcome.rows) for outcome in pipeline.run_in_portions(raw, SHOP, RECEIPT, {})] == [1] * 5

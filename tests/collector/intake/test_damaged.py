"""Bodies that are damaged: a value is mended by itself, a message that cannot be read spoils only itself."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import time
import zlib
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import RequestError
from collector.intake.body import Batch, MendedBatch, read_batch, read_single
from collector.intake.draft import DropReason, WarningReason
from collector.intake.pipeline import Outcome, run
from tests.collector.collector_parts import SHOP
from tests.collector.messages import RECEIPT, message
from warehouse.limits import MAX_BODY_BYTES

#: A value as it stands in a body; what it is read as; and what is warned of.
TEXT, NUMBER, JSON = WarningReason.TEXT_REPAIRED, WarningReason.NUMBER_REPAIRED, WarningReason.JSON_REPAIRED
VALUES: Final[dict[str, tuple[bytes, Any, set[WarningReason]]]] = {
    "the first half of a pair": (b'"tent \\ud83d"', "tent \ufffd", {TEXT}),
    "the second half of a pair": (b'"\\udc00 tent"', "\ufffd tent", {TEXT}),
    "halves the wrong way round": (b'"\\ude00\\ud83d"', "\ufffd\ufffd", {TEXT}),
    "half a pair beside a whole one": (b'"\\ud83d\\ude00\\ud83d"', "\U0001f600\ufffd", {TEXT}),
    "bytes that are no UTF-8": (b'"caf\xe9"', "caf\ufffd", {TEXT}),
    "a half in bytes": (b'"a\xed\xa0\xbdb"', "a\ufffdb", {TEXT}),
    "CESU-8": (b'"\xed\xa0\xbd\xed\xb8\x80"', "\U0001f600", {TEXT}),
    "an escape without its digits": (b'"\\u12"', "\ufffd12", {TEXT, JSON}),
    "NaN": (b"NaN", None, {NUMBER}),
    "Infinity": (b"Infinity", None, {NUMBER}),
    "-Infinity": (b"-Infinity", None, {NUMBER}),
    "nan": (b"nan", None, {NUMBER, JSON}),
    "-inf": (b"-inf", None, {NUMBER, JSON}),
    "beyond floats": (b"1e999", None, {NUMBER}),
    "far below": (b"-1e999", None, {NUMBER}),
    "5,000 digits": (b"9" * 5000, None, {NUMBER}),
    "NaN deep inside": (b'[1,{"a":[NaN]}]', [1, {"a": [None]}], {NUMBER}),
    "undefined": (b"undefined", None, {JSON}),
    "None": (b"None", None, {JSON}),
    "True": (b"True", True, {JSON}),
    "a fraction without its nought": (b".5", 0.5, {JSON}),
    "noughts before a number": (b"007", "007", {JSON}),
    "a fraction of a whole": (b"5.", 5.0, {JSON}),
    "a plus": (b"+1", 1.0, {JSON}),
    "a bare line break": (b'"a\nb"', "a\nb", {JSON}),
    "a bare tab": (b'"a\tb"', "a\tb", {JSON}),
    "a bare null character": (b'"a\0b"', "a\0b", {JSON}),
    "an escape that is none": (b'"\\x41\\\'"', "x41'", {JSON}),
    "a comma at a list's end": (b"[1,2,]", [1, 2], {JSON}),
    "a comma at an object's end": (b'{"a":1, }', {"a": 1}, {JSON}),
    "half a pair and NaN": (b'["\\ud83d",NaN]', ["\ufffd", None], {TEXT, NUMBER}),
}


def taken(body: bytes) -> Outcome:
    """Return what becomes of a body."""
    return outcome_of(read_batch(body))


def outcome_of(batch: Batch) -> Outcome:
    repairs = batch.repairs if isinstance(batch, MendedBatch) else ()
    receipt = msgspec.structs.replace(RECEIPT, repairs=repairs)
    return run(batch.batch, SHOP, receipt, batch.context or {})


def batch_of(*messages: bytes) -> bytes:
    return b'{"writeKey":"shop-key","batch":[%s]}' % b",".join(messages)


def around(value: bytes, name: str = "damaged") -> bytes:
    """Return a message one of whose properties is a value as it stands."""
    return b'{"type":"track","anonymousId":"a1","messageId":"%s","event":"quiz_done","properties":{"x":%s}}' % (
        name.encode(),
        value,
    )


def props(outcome: Outcome, event_id: str) -> Any:
    (row,) = [row for row in outcome.rows if row.event_id == event_id]
    return msgspec.json.decode(row.props).get("x") if row.props else None


SOUND: Final = [msgspec.json.encode(message(messageId=name)) for name in ("first", "last")]


@pytest.mark.parametrize("name", VALUES)
def test_a_damaged_value_is_mended_alone_and_told(name: str) -> None:
    value, expected, reasons = VALUES[name]
    outcome = taken(batch_of(SOUND[0], around(value), SOUND[1]))
    assert [row.event_id for row in outcome.rows] == ["first", "damaged", "last"]
    assert props(outcome, "damaged") == expected
    assert {warning.reason for warning in outcome.warnings} == reasons
    assert {warning.message_id for warning in outcome.warnings} == {"damaged"}


@pytest.mark.parametrize("name", VALUES)
def test_a_damaged_value_of_a_message_by_itself_is_mended_as_well(name: str) -> None:
    value, expected, reasons = VALUES[name]
    outcome = outcome_of(read_single(around(value), "track"))
    assert props(outcome, "damaged") == expected
    assert {warning.reason for warning in outcome.warnings} == reasons


@pytest.mark.parametrize("name", VALUES)
def test_what_is_mended_in_a_shared_context_is_told_of_each_event(name: str) -> None:
    value, _, reasons = VALUES[name]
    body = b'{"batch":[%s],"context":{"page":{"title":%s}},"writeKey":"k"}' % (b",".join(SOUND), value)
    outcome = taken(body)
    assert len(outcome.rows) == 2
    told = [(warning.message_id, warning.reason) for warning in outcome.warnings]
    assert sorted(told) == sorted((event_id, reason) for event_id in ("first", "last") for reason in reasons)


def test_half_a_character_in_the_name_of_a_field_is_mended() -> None:
    outcome = taken(batch_of(around(b'{"k\\ud83d":1,"k\xff":2}')))
    assert props(outcome, "damaged") == {"k\ufffd": 2}


IDS: Final = ("userId", "anonymousId", "previousId")


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("value", [b'"u-\\ud83d"', b'"u-\xff"', b'"\\udc00"'])
def test_an_id_that_is_damaged_is_nobodys(name: str, value: bytes) -> None:
    kind = b"alias" if name == "previousId" else b"identify"
    sent = b'{"type":"%s","userId":"ann","anonymousId":"a1","messageId":"m","%s":%s}' % (kind, name.encode(), value)
    outcome = taken(batch_of(SOUND[0], sent, SOUND[1]))
    assert [row.event_id for row in outcome.rows] == ["first", "last"]
    assert [(drop.message_id, drop.reason) for drop in outcome.drops] == [("m", DropReason.BAD_ID)]


def test_damaged_ids_of_two_messages_make_no_repeat_of_one() -> None:
    sent = [around(number, "\\ud83d") for number in (b"1", b"2")]
    outcome = taken(batch_of(*sent))
    assert len({row.event_id for row in outcome.rows}) == 2
    assert not any("\ufffd" in row.event_id for row in outcome.rows)


def test_a_warning_says_where_and_repeats_nothing() -> None:
    outcome = taken(batch_of(around(b'{"title":"ann@example.com \\ud83d","ann@example.com":["\\ud83d"]}')))
    (warning,) = outcome.warnings
    assert warning.detail.startswith("properties.x.title, properties.x.…[0]: ")
    assert "ann" not in warning.detail


def test_of_many_places_a_warning_names_three_and_counts_the_others() -> None:
    (warning,) = taken(batch_of(around(b"[%s1]" % (b"NaN," * 50)))).warnings
    assert warning.detail.startswith("properties.x[0], properties.x[1], properties.x[2] and 47 more: ")


#: A message that nothing can be made of.
BROKEN: Final[dict[str, bytes]] = {
    "no value": b'{"type":"track","properties":{"x":}}',
    "no colon": b'{"type" "track"}',
    "a word": b"hello",
    "a text": b'"hello"',
    "a word as a value": around(b"hello"),
    "a bracket of the other kind": b'{"type":"track","properties":[1}',
    "an end too few": around(b"1")[:-1],
    "two ends too few": around(b"1")[:-2],
    "an end too few inside": around(b'{"a":1')[:-1],
    "an end too many": around(b"1") + b"}",
    "50,000 lists inside each other": around(b"[" * 50_000 + b"]" * 50_000),
    "something behind it": around(b"1") + b" and more",
}


#: One whose texts have no end: where it ends is told by what the next one begins with, which texts may have in them.
TORN: Final[dict[str, bytes]] = {
    "a text without an end": b'{"type":"track","event":"quiz_do',
    "a text without an end, which ends": around(b'"5 inches')[:-2] + b"}}",
    "a quote within a text": around(b'"5" screen"'),
    "a backslash before the end of a text": around(b'"C:\\"'),
    "two such": around(b'"5" screen"') + b"," + around(b'"C:\\"'),
}


@pytest.mark.parametrize("name", [*BROKEN, *TORN])
def test_a_message_that_cannot_be_read_spoils_only_itself(name: str) -> None:
    outcome = taken(batch_of(SOUND[0], {**BROKEN, **TORN}[name], SOUND[1]))
    assert [row.event_id for row in outcome.rows if row.event_id != "damaged"] == ["first", "last"]
    assert {drop.reason for drop in outcome.drops} == {DropReason.MALFORMED}


#: What stands around messages, with their ids in it.
BODIES: Final[dict[str, tuple[bytes, list[str]]]] = {
    "a byte order mark": (b"\xef\xbb\xbf" + batch_of(*SOUND), ["first", "last"]),
    "null characters behind it": (batch_of(*SOUND) + b"\0\0", ["first", "last"]),
    "a line break behind it": (batch_of(*SOUND) + b"\r\n", ["first", "last"]),
    "a comma at the list's end": (batch_of(*SOUND, b""), ["first", "last"]),
    "a comma at the body's end": (batch_of(*SOUND)[:-1] + b",}", ["first", "last"]),
    "a comma too many": (batch_of(SOUND[0], b"", SOUND[1]), ["first", "last"]),
    "no comma between": (batch_of(b"\n".join(SOUND)), ["first", "last"]),
    "a list": (b"[%s]" % b",".join(SOUND), ["first", "last"]),
    "a list of a damaged one": (b"[%s]" % b",".join([*SOUND, around(b"NaN")]), ["first", "last", "damaged"]),
    "a message": (SOUND[0], ["first"]),
    "a damaged message": (around(b"NaN"), ["damaged"]),
    "a message a line": (b"\n".join(SOUND) + b"\n", ["first", "last"]),
    "the key before a message": (b'{"writeKey":"shop-key",' + SOUND[0][1:], ["first"]),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_another_shape_is_read(name: str) -> None:
    body, ids = BODIES[name]
    outcome = taken(body)
    assert [row.event_id for row in outcome.rows] == ids
    assert outcome.drops == []


def test_what_stands_behind_a_body_is_told_as_a_drop() -> None:
    outcome = taken(batch_of(*SOUND) + b"and more")
    assert [row.event_id for row in outcome.rows] == ["first", "last"]
    assert [drop.reason for drop in outcome.drops] == [DropReason.MALFORMED]
    outcome = taken(batch_of(SOUND[0]) + batch_of(SOUND[1]))
    assert [row.event_id for row in outcome.rows] == ["first"]
    assert [drop.reason for drop in outcome.drops] == [DropReason.MALFORMED]


def test_the_key_of_a_list_or_a_message_is_that_of_its_request() -> None:
    keyed = b'{"writeKey":"shop-key","sentAt":"2026-11-22T12:00:00Z","context":{"locale":"en"},' + SOUND[0][1:]
    for body in (keyed, b"[%s,%s]" % (keyed, SOUND[1])):
        batch = read_batch(body)
        assert (batch.write_key, batch.sent_at, batch.context) == ("shop-key", "2026-11-22T12:00:00Z", None)


def test_a_list_at_the_route_of_a_type_is_a_batch_of_that_type() -> None:
    batch = read_single(b'[{"anonymousId":"a","type":"track"},{"userId":"u",}]', "page")
    assert [row.event for row in outcome_of(batch).rows] == ["page_view", "page_view"]


@pytest.mark.parametrize("body", [batch_of(*SOUND)[:-1], batch_of(*SOUND)[:-2], batch_of(*SOUND)[:-30], b"[", b"{"])
def test_a_body_without_its_end_is_refused_for_it_was_cut_off(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_batch(body)
    assert (caught.value.status, caught.value.code) == (400, "malformed")


sound_messages = st.builds(
    lambda event_id, properties: message(messageId=event_id, properties=properties),
    st.uuids().map(str),
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**53), 2**53)
            | st.floats(allow_nan=False, allow_infinity=False)
            # A text with every mark of JSON in it.
            | st.text(max_size=20)
            | st.sampled_from(['{"a":[', "}]", '"', "\\", '\\"', ",", '],"batch":[{']),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    ),
)
damages = st.sampled_from([value for value, *_ in VALUES.values()]).map(around) | st.sampled_from(list(BROKEN.values()))


#: What else may be odd about a body, none of which is of its messages.
wrappings: st.SearchStrategy[Callable[[bytes], bytes]] = st.sampled_from(
    [
        bytes,
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body + b"\0\0",
        lambda body: b"\r\n" + body + b"\r\n",
        lambda body: body + b" and more",
        lambda body: body[:-1] + b',"context":{"page":{"title":"\\ud83d"}},"sentAt":NaN,}',
        lambda body: gzip.compress(body) + bytes(64),
        lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:]),
        lambda body: zlib.compress(b"\xef\xbb\xbf" + body),
        base64.b64encode,
        lambda body: b"data=" + base64.urlsafe_b64encode(gzip.compress(body)).rstrip(b"="),
    ]
)


@given(st.lists(sound_messages, max_size=6, unique_by=lambda each: each["messageId"]), damages, wrappings, st.data())
def test_whatever_is_damaged_every_other_message_is_kept_as_it_is(
    sent: list[dict[str, Any]], damage: bytes, wrap: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    texts = [json.dumps(each, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "replace") for each in sent]
    whole = run([msgspec.Raw(text) for text in texts], SHOP, RECEIPT, {})
    texts.insert(data.draw(st.integers(0, len(texts))), damage)
    outcome = taken(wrap(batch_of(*texts)))
    kept = [msgspec.structs.replace(row, title="") for row in outcome.rows if row.event_id != "damaged"]
    assert kept == whole.rows
    assert len(outcome.rows) + len(outcome.drops) >= len(texts)
    assert {told.reason for told in outcome.warnings} | {told.reason for told in outcome.drops}


@pytest.mark.parametrize("name", TORN)
def test_a_torn_message_at_the_end_of_a_batch_leaves_what_follows_the_batch(name: str) -> None:
    body = b'{"batch":[%s,%s],"writeKey":"shop-key"}' % (SOUND[0], TORN[name])
    batch = read_batch(body)
    assert batch.write_key == "shop-key"
    assert [row.event_id for row in outcome_of(batch).rows] == ["first"]


#: Texts that a careless reader takes the square of their length for.
SLOW: Final[dict[str, bytes]] = {
    "quotes": b'"' * 400_000,
    "escaped quotes": b'{"a":' + b'"\\' * 200_000,
    "braces": b"{" * 400_000,
    "brackets": b"[" * 400_000,
    "braces and brackets": b'{"batch":[' + b"{[" * 200_000,
    "ends": b'{"batch":[' + b"}" * 400_000 + b"]}",
    "other ends": b'{"batch":[' + b"[}" * 200_000 + b"]}",
    "commas": b'{"batch":[' + b"," * 400_000 + b"]}",
    "commas and braces": b'{"batch":[' + b",{" * 200_000 + b"]}",
    "blanks": b'{"batch":[' + b", " * 200_000 + b"NaN]}",
    "names": b"{" + b'"a" ' * 100_000,
    "no numbers": batch_of(around(b"[%s1]" % (b"NaN," * 30_000)), *[around(b"[%s1]" % (b"NaN," * 20_000))] * 4),
    "no characters": batch_of(*[around(b'"%s"' % (b"\xff" * 100_000))] * 4),
    "halves": batch_of(*[around(b'"%s"' % (b"\xed\xa0\xbd\xed\xb8\x80" * 15_000))] * 4),
    "bad escapes": batch_of(*[around(b'"%s"' % (b"\\x" * 50_000))] * 4),
    "words": batch_of(*[around(b"[%s1]" % (b"undefined," * 10_000))] * 4),
    "keys": b'{"writeKey" ' * 40_000,
    "torn texts": batch_of(*[b'{"type":"a'] * 30_000),
    "torn texts, with much behind": batch_of(*[b'{"type":"a'] * 6, *[around(b"1")] * 3_000),
}


@pytest.mark.parametrize("name", SLOW)
def test_to_mend_a_body_takes_time_by_its_length(name: str) -> None:
    assert len(SLOW[name]) <= MAX_BODY_BYTES
    began = time.process_time()
    with contextlib.suppress(RequestError):
        taken(SLOW[name])
    # About a tenth of it on a quiet machine; the square of the length takes minutes.
    assert time.process_time() - began < 3

from __future__ import annotations

import base64
import gzip
import sys
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import RequestError
from collector.intake.body import read_batch, read_single, write_key
from collector.intake.unwrapping import SMALL_BYTES, plain_json, small_json
from warehouse.limits import MAX_BODY_BYTES, MAX_INFLATED_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BATCH = b'{"batch":[{"type":"track"}],"sentAt":"2026-11-22T12:00:00Z","writeKey":"shop-key","context":{"locale":"en"}}'


def basic(credential: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(credential.encode()).decode()}


def refusal(ask: Callable[[], object]) -> RequestError | None:
    """How something is refused, or None when it is not."""
    try:
        ask()
    except RequestError as error:
        return error
    return None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BATCH, id="plain"),
        pytest.param(gzip.compress(BATCH), id="gzip"),
        pytest.param(b"data=" + quote(BATCH).encode(), id="form"),
        pytest.param(b"data=" + quote(base64.b64encode(BATCH)).encode(), id="form, base64"),
        pytest.param(gzip.compress(b"data=" + quote(BATCH).encode()), id="form, gzip"),
        pytest.param(b"  \n" + BATCH + b"\n", id="with space around"),
        pytest.param(gzip.compress(BATCH[:40]) + gzip.compress(BATCH[40:]), id="gzip of two parts"),
        pytest.param(gzip.compress(BATCH) + bytes(512), id="gzip, filled up with zeros"),
        pytest.param(gzip.compress(BATCH[:40]) + bytes(9) + gzip.compress(BATCH[40:]), id="gzip, zeros between"),
        pytest.param(gzip.compress(gzip.compress(BATCH)), id="gzip in gzip"),
        pytest.param(zlib.compress(BATCH), id="zlib, as `Content-Encoding: deflate` says"),
        pytest.param(zlib.compress(BATCH, 1), id="zlib, fast"),
        pytest.param(zlib.compress(BATCH, 9), id="zlib, best"),
        pytest.param(zstd.compress(BATCH), id="zstd"),
        pytest.param(zstd.compress(BATCH[:40]) + zstd.compress(BATCH[40:]), id="zstd of two frames"),
        pytest.param(b"\xef\xbb\xbf" + BATCH, id="byte order mark"),
        pytest.param(gzip.compress(b"\xef\xbb\xbf" + BATCH), id="byte order mark in gzip"),
        pytest.param(BATCH.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xfe\xff" + BATCH.decode().encode("utf-16-be"), id="UTF-16, the other way round"),
        pytest.param(BATCH.decode().encode("utf-16-le"), id="UTF-16 without its mark"),
        pytest.param(BATCH.decode().encode("utf-16-be"), id="UTF-16, the other way round, without its mark"),
        pytest.param(BATCH.decode().encode("utf-32"), id="UTF-32"),
        pytest.param(b"data=" + base64.b64encode(BATCH), id="form, base64, not escaped"),
        pytest.param(b"data=" + base64.urlsafe_b64encode(BATCH).rstrip(b"="), id="form, base64 of addresses"),
        pytest.param(b"data=" + quote(base64.b64encode(gzip.compress(BATCH))).encode(), id="form, base64, gzip"),
        pytest.param(b"v=1&data=" + quote(BATCH).encode() + b"&t=2", id="form, among other fields"),
        pytest.param(b"data=%20" + quote(BATCH).encode(), id="form, a blank before it"),
        pytest.param(b"data=" + quote(b"\xef\xbb\xbf" + BATCH).encode(), id="form, byte order mark"),
        pytest.param(b"data=" + quote(gzip.compress(BATCH)).encode(), id="form, gzip without base64"),
        pytest.param(msgspec.json.encode(BATCH.decode()), id="JSON of JSON"),
        pytest.param(gzip.compress(BATCH) + b"\n", id="gzip, a line break behind it"),
        pytest.param(base64.b64encode(BATCH), id="base64"),
        pytest.param(base64.encodebytes(BATCH), id="base64, in lines"),
        pytest.param(base64.urlsafe_b64encode(BATCH).rstrip(b"="), id="base64 of addresses"),
        pytest.param(base64.b64encode(gzip.compress(BATCH)), id="base64, gzip"),
    ],
)
def test_a_batch_is_read_however_it_is_wrapped(body: bytes) -> None:
    batch = read_batch(body)
    assert [bytes(message) for message in batch.batch] == [b'{"type":"track"}']
    assert (batch.sent_at, batch.write_key, batch.context) == ("2026-11-22T12:00:00Z", "shop-key", {"locale": "en"})


def test_a_single_message_is_a_batch_of_one_of_the_routes_type() -> None:
    batch = read_single(
        b'{"type":"page","event":"e","sentAt":5,"writeKey":"shop-key","context":{"locale":"en"}}', "track"
    )
    assert (batch.sent_at, batch.write_key, batch.context) == (5, "shop-key", None)
    (message,) = batch.batch
    assert msgspec.json.decode(message) == {
        "type": "track",
        "event": "e",
        "sentAt": 5,
        "writeKey": "shop-key",
        "context": {"locale": "en"},
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "truncated", id="nothing"),
        pytest.param(b"hello", "byte 0", id="text"),
        pytest.param(b'{"batch": [1, }', "byte 14", id="broken"),
        pytest.param(b'{"batch": 7}', "$.batch", id="no list"),
        pytest.param(b"{}", "batch", id="no batch"),
        pytest.param(b"[]", "object", id="no object"),
        pytest.param(b'{"batch":[],"context":[]}', "$.context", id="context no object"),
        pytest.param(b'{"batch":[],"sentAt":{}}', "$.sentAt", id="sentAt no time"),
        pytest.param(b'{"batch":[],"context":' + b"[" * 100_000, "", id="nested"),
        pytest.param(gzip.compress(BATCH)[:-12], "ends too early", id="half a gzip"),
        pytest.param(gzip.compress(BATCH)[:8], "ends too early", id="the head of a gzip"),
        pytest.param(b"\x1f\x8b\x08\x00" + b"\xff" * 50, "gzip", id="no gzip"),
        pytest.param(b"data=!!!", "base64", id="form of nothing"),
        pytest.param(b"data=", "", id="empty form"),
        pytest.param(b"data=%7Bnope", "byte", id="form, broken"),
        pytest.param(zstd.compress(BATCH)[:-4], "ends too early", id="half a zstd"),
        pytest.param(b"\x28\xb5\x2f\xfd" + b"\xff" * 50, "zstd", id="no zstd"),
        pytest.param(gzip.compress(b"") * 101, "more than 100 parts", id="parts without end"),
    ],
)
def test_a_malformed_body_says_where(body: bytes, says: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_batch(body)
    assert (caught.value.status, caught.value.code) == (400, "malformed")
    assert says in caught.value.message


@pytest.mark.parametrize("body", [b"7", b"[]", b'"track"', b"{", b"null"])
def test_a_malformed_single_message_is_refused_too(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        read_single(body, "track")
    assert caught.value.status == 400


def bomb() -> bytes:
    """A small gzip that grows beyond all bounds."""
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    return b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(64)) + packer.flush()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b" " * (MAX_BODY_BYTES + 1), id="plain"),
        pytest.param(bomb(), id="bomb"),
        pytest.param(gzip.compress(bytes(MAX_INFLATED_BYTES + 1)), id="one byte too many once inflated"),
    ],
)
def test_a_body_beyond_its_bounds_is_too_large(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        plain_json(body)
    assert (caught.value.status, caught.value.code) == (413, "too_large")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, zstd.compress, lambda plain: b"\xef\xbb\xbf" + plain])
def test_what_turns_out_to_be_larger_than_it_says_is_not_read_at_once(pack: Callable[[bytes], bytes]) -> None:
    assert small_json(pack(b"[" + b" " * 1000 + b"]")) is not None
    assert small_json(pack(b"[" + b" " * SMALL_BYTES + b"]")) is None
    assert small_json(gzip.compress(b"[" + b" " * SMALL_BYTES) + gzip.compress(b"]")) is None


@pytest.mark.parametrize("pack", [zlib.compress, zstd.compress])
def test_a_bomb_of_another_kind_is_too_large(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(RequestError) as caught:
        plain_json(pack(bytes(64 * 1024 * 1024)))
    assert (caught.value.status, caught.value.code) == (413, "too_large")


def test_a_body_of_exactly_its_bounds_is_read() -> None:
    assert len(plain_json(b" " * MAX_BODY_BYTES)) == MAX_BODY_BYTES
    assert len(plain_json(gzip.compress(b" " * MAX_INFLATED_BYTES))) == MAX_INFLATED_BYTES


@given(
    st.binary()
    | st.binary().map(gzip.compress)
    | st.binary().map(zstd.compress)
    | st.binary().map(lambda tail: b"\x78\x9c" + tail)
    | st.binary().map(lambda tail: b"\xff\xfe" + tail)
    | st.binary().map(lambda tail: b"{" + tail)
    | st.binary().map(lambda tail: b'{"batch":[' + tail)
    | st.binary().map(lambda tail: b"data=" + tail)
    | st.binary().map(base64.b64encode)
)
def test_any_bytes_are_a_batch_or_a_clear_refusal(body: bytes) -> None:
    refused = refusal(lambda: read_batch(body))
    assert refused is None or (refused.status in {400, 413} and refused.message)


@pytest.mark.parametrize(
    ("headers", "query", "body_key", "expected"),
    [
        (basic("first:"), "writeKey=third", "second", "first"),
        (basic("first:ignored"), "", None, "first"),
        ({"authorization": "bearer x"}, "writeKey=third", "second", "second"),
        (basic(":"), "writeKey=third", "second", "second"),
        ({"x-write-key": "fourth"}, "writeKey=third", None, "third"),
        ({"x-write-key": "fourth"}, "other=1", None, "fourth"),
        ({"x-write-key": "fourth"}, "", "", "fourth"),
        ({}, "writeKey=a%20b", None, "a b"),
        ({}, "", None, ""),
    ],
)
def test_the_write_key_is_looked_for_in_order(
    headers: dict[str, str], query: str, body_key: str | None, expected: str
) -> None:
    assert write_key(headers, query, body_key) == expected


@pytest.mark.parametrize("credential", ["%%%", "/w==", "a"])
def test_a_credential_that_cannot_be_read_is_refused(credential: str) -> None:
    with pytest.raises(RequestError) as caught:
        write_key({"authorization": f"Basic {credential}"}, "", "second")
    assert (caught.value.status, caught.value.code) == (401, "bad_credentials")


@given(st.dictionaries(st.sampled_from(["authorization", "x-write-key"]), st.text()), st.text(), st.none() | st.text())
def test_any_request_has_a_key_or_none(headers: dict[str, str], query: str, body_key: Any) -> None:
    refused = refusal(lambda: write_key(headers, query, body_key))
    assert refused is None or refused.status == 401

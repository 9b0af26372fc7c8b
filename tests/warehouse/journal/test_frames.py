from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warehouse.journal.frames import (
    MAGIC,
    Adopted,
    Damage,
    Finished,
    Frame,
    Record,
    Refused,
    Rows,
    TakenFrame,
    encode_frame,
    read_frames,
)

NUMBERS = st.integers(0, 2**63)
SMALL = st.integers(0, 200)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(Rows, SMALL, NUMBERS, SMALL, st.binary(max_size=40), st.binary(max_size=200)),
    st.builds(TakenFrame, SMALL, st.text(max_size=32), NUMBERS, NUMBERS),
    st.builds(Finished, SMALL, NUMBERS),
    st.builds(Adopted, st.text(max_size=20), st.integers(-1, 2**40)),
    st.builds(Refused, SMALL, st.text(max_size=32), st.binary(max_size=40), st.text(max_size=40)),
)
FRAMES = st.lists(st.tuples(NUMBERS, st.lists(RECORDS, min_size=1, max_size=4)), min_size=1, max_size=5)
Content = list[tuple[int, list[Record]]]


def encoded(content: Content) -> list[bytes]:
    return [encode_frame(number, records) for number, records in content]


def good(data: bytes) -> Content:
    return [(found.number, found.records) for found in read_frames(data) if isinstance(found, Frame)]


@given(FRAMES, st.integers(0, 100))
def test_what_was_written_is_read_whatever_zeros_follow(content: Content, zeros: int) -> None:
    data = b"".join(encoded(content)) + bytes(zeros)
    assert good(data) == content
    assert not any(isinstance(found, Damage) for found in read_frames(data))


@given(FRAMES, st.data())
def test_a_file_cut_at_any_byte_gives_all_frames_before_the_cut(content: Content, data: st.DataObject) -> None:
    frames = encoded(content)
    cut = data.draw(st.integers(0, sum(map(len, frames)) - 1))
    whole = next(count for count in range(len(frames)) if sum(map(len, frames[: count + 1])) > cut)
    assert good(b"".join(frames)[:cut]) == content[:whole]


@given(FRAMES, st.data())
def test_a_damaged_frame_costs_no_other_one_and_its_bytes_are_told(content: Content, data: st.DataObject) -> None:
    frames = encoded(content)
    hit = data.draw(st.integers(0, len(frames) - 1))
    place = data.draw(st.integers(0, len(frames[hit]) - 1))
    flip = data.draw(st.integers(1, 255))
    broken = bytearray(frames[hit])
    broken[place] ^= flip
    file = b"".join([*frames[:hit], bytes(broken), *frames[hit + 1 :]])
    begin = sum(map(len, frames[:hit]))
    assert good(file) == content[:hit] + content[hit + 1 :]
    (damage,) = [found for found in read_frames(file) if isinstance(found, Damage)]
    # The damage ends where the next frame begins; zeros at a file's end count as not written.
    assert damage.offset == begin
    assert damage.end <= begin + len(broken)
    assert not any(file[damage.end : begin + len(broken)])


def test_a_row_that_looks_like_a_frame_is_a_row() -> None:
    inner = encode_frame(7, [Finished(1, 2)])
    frame = encode_frame(1, [Rows(1, 0, 1, b"", inner)])
    assert good(frame) == [(1, [Rows(1, 0, 1, b"", inner)])]
    assert not MAGIC.isascii()
    assert MAGIC[0] not in "\U0010ffff".encode()


def test_a_frame_of_records_that_this_version_does_not_know_is_damage() -> None:
    unknown = encode_frame(0, [["later", 1]])  # type: ignore[list-item]
    known = encode_frame(0, [Finished(1, 2)])
    assert [type(found) for found in read_frames(unknown + known)] == [Damage, Frame]

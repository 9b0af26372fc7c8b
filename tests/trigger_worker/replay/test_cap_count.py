"""Caps counted as messages go out say what the gate says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trigger_worker.deciding.gate.cap import Cap, MessageKind
from trigger_worker.deciding.gate.checks import caps as gate_caps
from trigger_worker.deciding.gate.facts import MessageFacts, SentMessage
from trigger_worker.deciding.gate.policy import Policy
from trigger_worker.replay.cap_count import CapCount, Kind

CHANNELS = st.sampled_from(["", "email", "banner"])
TAGS = st.sampled_from(["", "discount", "news"])
CLASSES = st.sampled_from([None, "marketing", "transactional"])

message_kinds = st.builds(MessageKind, channel=CHANNELS, tag=TAGS, without=TAGS, message_class=CLASSES)
some_caps = st.lists(
    st.builds(Cap, max=st.integers(0, 3), per_ms=st.integers(1, 20), obeys=message_kinds, counts=message_kinds),
    max_size=3,
)
kinds = st.tuples(
    st.sampled_from(["email", "banner"]),
    st.sets(st.sampled_from(["discount", "news"])).map(lambda tags: tuple(sorted(tags))),
    st.sampled_from(["marketing", "transactional"]),
)
#: How long after the one before it each message comes.
messages = st.lists(st.tuples(st.integers(0, 8), kinds), max_size=30)


def stopped_by_the_gate(kind: Kind, sent: list[tuple[int, Kind]], caps: list[Cap], now_ms: int) -> bool:
    channel, tags, message_class = kind
    facts = MessageFacts(
        site="shop",
        visitor_id="anna",
        channel=channel,
        rule="r",
        expires_at_ms=now_ms + 1,
        message_class=message_class,
        tags=frozenset(tags),
        history=tuple(
            SentMessage(channel=one[0], rule="r", at_ms=at, tags=frozenset(one[1]), message_class=one[2])
            for at, one in sent
        ),
    )
    return gate_caps(facts, Policy(caps=tuple(caps)), now_ms) is not None


@given(some_caps, messages)
def test_each_message_is_stopped_as_by_the_gate(caps: list[Cap], asked: list[tuple[int, Kind]]) -> None:
    counted = CapCount(caps)
    sent: list[tuple[int, Kind]] = []
    now_ms = 0
    for later_ms, kind in asked:
        now_ms += later_ms
        stops = counted.stop(kind, now_ms)
        assert stops == stopped_by_the_gate(kind, sent, caps, now_ms)
        if not stops:
            counted.add(kind, now_ms)
            sent.append((now_ms, kind))

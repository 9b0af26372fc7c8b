from __future__ import annotations

from pathlib import Path

import pytest

from trigger_worker.deciding.gate.policy import Cap, Fatigue, MessageKind, Policy
from trigger_worker.deciding.gate.policy_file import PolicyError, load_policy, read_policy
from trigger_worker.rules.model import QuietHours
from warehouse.errors import RuleError

HOUR = 3_600_000
DAY = 24 * HOUR

FULL = """\
consent_required: [sms]
quiet: 21:00-09:00                                   # local to the visitor
caps:                                                # rolling windows
  - {channel: email, max: 1, per: 24h}
  - {channel: banner, max: 3, per: 1h}
  - {tag: discount, max: 1, per: 7d}
  - {class: marketing, max: 5, per: 24h}
  - {max: 6, per: 24h}                               # all channels together
  - {obeys: {channel: banner, without: urgent}, counts: {class: transactional}, max: 2, per: 1d}
gap: {banner: 30s}
fatigue: {ignored: 3, rest: 7d}
holdout: 5%
"""


def cap(most: int, per_ms: int, kind: MessageKind) -> Cap:
    return Cap(max=most, per_ms=per_ms, obeys=kind, counts=kind)


def test_reads_every_key() -> None:
    assert read_policy(FULL) == Policy(
        consent_required=frozenset({"sms"}),
        quiet=dict.fromkeys(("email", "sms", "push", "webhook", "chat"), QuietHours(21 * 60, 9 * 60)),
        caps=(
            cap(1, DAY, MessageKind(channel="email")),
            cap(3, HOUR, MessageKind(channel="banner")),
            cap(1, 7 * DAY, MessageKind(tag="discount")),
            cap(5, DAY, MessageKind(message_class="marketing")),
            cap(6, DAY, MessageKind()),
            Cap(
                max=2,
                per_ms=DAY,
                obeys=MessageKind(channel="banner", without="urgent"),
                counts=MessageKind(message_class="transactional"),
            ),
        ),
        gap_ms={"banner": 30_000},
        fatigue=Fatigue(ignored=3, rest_ms=7 * DAY),
        holdout=0.05,
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_restrains_nothing(text: str) -> None:
    assert read_policy(text) == Policy()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cap: []", '1:1: a policy has no key "cap" (did you mean caps?)'),
        (
            "zzz: 1",
            '1:1: a policy has no key "zzz" (known keys are caps, consent_required, fatigue, gap, holdout, quiet)',
        ),
        ("- 1", "1:1: expected a policy, found a list (write keys such as caps:)"),
        ("quiet: night", '1:8: expected quiet hours such as 21:00-09:00, found "night"'),
        ("quiet: [21:00]", "1:8: expected a value, found a list"),
        ("\nquiet: 09:00-09:00", "2:8: expected quiet hours that end at another time than they start"),
        ("caps: {max: 1}", "1:7: expected a list, found a mapping"),
        ("caps: [1]", '1:8: expected a cap, found "1" (write {channel: email, max: 1, per: 24h})'),
        ("caps:\n  - {max: 1}", "2:5: a cap needs per (add per: and its value)"),
        ("caps:\n  - {per: 1h}", "2:5: a cap needs max (add max: and its value)"),
        ("caps: [{max: 0, per: 1h}]", '1:14: expected a whole number of at least 1, found "0"'),
        ("caps: [{max: 1.5, per: 1h}]", '1:14: expected a whole number of at least 1, found "1.5"'),
        ("caps: [{max: 1, per: soon}]", '1:22: expected a duration such as 15m, found "soon"'),
        ("caps: [{max: 1, per: 0s}]", "1:22: expected a duration of more than 0"),
        ("caps: [{max: 1, per: 1h, chanel: sms}]", '1:26: a cap has no key "chanel" (did you mean channel?)'),
        ("caps: [{max: 1, per: 1h, channel: fax}]", "1:35: expected banner or email or sms or push"),
        ("caps: [{max: 1, per: 1h, class: spam}]", '1:33: expected marketing or transactional, found "spam"'),
        ("caps: [{max: 1, per: 1h, tag: a b}]", "1:31: expected a name of letters, digits, _ and -"),
        (
            "caps: [{max: 1, per: 1h, class: transactional}]",
            "1:8: no transactional message obeys a cap (write counts: {class: transactional})",
        ),
        (
            "caps: [{max: 1, per: 1h, counts: email}]",
            '1:34: expected a kind of message such as {channel: email}, found "email"',
        ),
        ("caps: [{max: 1, per: 1h, obeys: {max: 1}}]", "1:34: a kind of message such as {channel: email} has no key"),
        ("consent_required: [fax]", "1:20: expected banner or email or sms or push"),
        ("consent_required: sms", '1:19: expected a list, found "sms" (write consent_required: [...])'),
        ("gap: {bannner: 1s}", '1:7: gaps has no key "bannner" (did you mean banner?)'),
        ("gap: 30s", '1:6: expected gaps, found "30s"'),
        ("fatigue: {ignored: 3}", "1:10: fatigue needs rest (add rest: and its value)"),
        ("holdout: 5", '1:10: expected a share from 0% to 100%, found "5"'),
        ("holdout: 101%", '1:10: expected a share from 0% to 100%, found "101%"'),
        ("holdout: 1%\nholdout: 2%", '2:1: the key "holdout" stands here twice (keep one of them)'),
        ("caps: [", "1:8: not valid YAML"),
        ("quiet: \x00", "1:1: not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(RuleError) as refusal:
        read_policy(text)
    assert str(refusal.value).startswith(f"policy.yaml:{problem}")


def test_every_mistake_is_named_in_the_order_of_the_file() -> None:
    with pytest.raises(PolicyError) as refusal:
        read_policy("holdout: none\ncaps:\n  - {max: 0, per: 1h}\n  - {max: 1, per: soon}\nquiet: late\n")
    assert [(problem.line, problem.column) for problem in refusal.value.problems] == [(1, 10), (3, 11), (4, 19), (5, 8)]
    assert str(refusal.value).count("policy.yaml:") == 4


def test_loads_a_file_and_names_it_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(FULL, "utf-8")
    assert load_policy(path) == read_policy(FULL)
    path.write_text("holdout: all", "utf-8")
    with pytest.raises(RuleError, match=r"policy\.yaml:1:10: expected a share"):
        load_policy(path)


def test_no_file_restrains_nothing(tmp_path: Path) -> None:
    assert load_policy(tmp_path / "policy.yaml") == Policy()


@pytest.mark.parametrize("prepare", [Path.mkdir, lambda path: path.write_bytes(b"\xff\xfe")])
def test_an_unreadable_file_is_named(tmp_path: Path, prepare: object) -> None:
    path = tmp_path / "policy.yaml"
    assert callable(prepare)
    prepare(path)
    with pytest.raises(RuleError, match=r"policy\.yaml:1:1: cannot be read"):
        load_policy(path)

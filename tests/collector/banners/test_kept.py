from __future__ import annotations

import random

import pytest

from collector.banners import kept as room
from collector.banners.banner import Banner, Browser
from collector.banners.kept import MAX_BANNERS_EACH, SETTLED_AFTER_MS, KeptBanners
from tests.collector.messages import NOON

ADA, BEN = Browser("shop", "ada"), Browser("shop", "ben")


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now_ms = NOON

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(clock: Clock) -> KeptBanners:
    kept = KeptBanners(clock, is_alone=True)
    clock.now_ms += SETTLED_AFTER_MS
    return kept


def banner(name: str, size: int = 2) -> Banner:
    return Banner(name, b" " * size, NOON + 3_600_000)


def learn_nothing(kept: KeptBanners, clock: Clock, browser: Browser) -> None:
    kept.learn(browser, kept.meet(browser), clock.now_ms, [], are_all=True)


def names(kept: KeptBanners, browser: Browser) -> list[str]:
    return [one.message_id for _, one in kept.meet(browser).banners]


def test_the_least_recently_seen_browsers_leave_first(
    kept: KeptBanners, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BROWSERS", 3)
    browsers = [Browser("shop", f"b{number}") for number in range(4)]
    for browser in browsers[:3]:
        learn_nothing(kept, clock, browser)
        kept.note(browser, banner(browser.anonymous_id), is_waiting=True)
    kept.collect(browsers[0])
    kept.meet(browsers[3])
    assert len(kept) == 3
    assert kept.knows(kept.meet(browsers[0]))
    kept.end("shop", "b1")
    assert not kept.knows(kept.meet(browsers[1]))
    assert names(kept, browsers[1]) == []


def test_payloads_are_bounded_in_bytes(kept: KeptBanners, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 10_000)
    for number in range(10):
        learn_nothing(kept, clock, browser := Browser("shop", f"b{number}"))
        kept.note(browser, banner(f"m{number}", 2_000), is_waiting=False)
        assert kept.size_bytes <= 10_000
    assert len(kept) == 3
    assert names(kept, Browser("shop", "b9")) == ["m9"]


def test_a_browser_with_more_banners_than_are_kept_is_no_longer_known(kept: KeptBanners, clock: Clock) -> None:
    learn_nothing(kept, clock, ADA)
    for number in range(MAX_BANNERS_EACH):
        kept.note(ADA, banner(f"m{number}"), is_waiting=False)
    assert kept.knows(kept.meet(ADA))
    kept.note(ADA, banner("last"), is_waiting=False)
    assert not kept.knows(kept.meet(ADA))
    assert names(kept, ADA) == [*(f"m{number}" for number in range(1, MAX_BANNERS_EACH)), "last"]


def test_banners_that_expired_make_room(kept: KeptBanners, clock: Clock) -> None:
    learn_nothing(kept, clock, ADA)
    for number in range(MAX_BANNERS_EACH):
        kept.note(ADA, Banner(f"m{number}", b"{}", clock.now_ms + 1), is_waiting=False)
    clock.now_ms += 1
    kept.note(ADA, banner("last"), is_waiting=False)
    assert kept.knows(kept.meet(ADA))
    assert names(kept, ADA) == ["last"]


def test_an_answer_for_a_browser_that_left_meanwhile_makes_nobody_known(
    kept: KeptBanners, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BROWSERS", 1)
    shelf = kept.meet(ADA)
    kept.meet(BEN)
    kept.note(ADA, banner("noticed"), is_waiting=False)
    found = kept.learn(ADA, shelf, clock.now_ms, [banner("read")], are_all=True)
    assert [one.message_id for one in found] == ["read"]
    assert not kept.knows(kept.meet(ADA))


def test_what_ended_is_remembered_for_a_while(kept: KeptBanners, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_ENDED", 2)

    def read(*message_ids: str) -> list[str]:
        found = [banner(message_id) for message_id in message_ids]
        return [one.message_id for one in kept.learn(ADA, kept.meet(ADA), clock.now_ms, found, are_all=True)]

    for message_id in ("first", "second", "third"):
        kept.end("shop", message_id)
    assert read("first", "second", "third") == ["first"]
    kept.end("shop", "first")
    clock.now_ms += room.ENDED_FOR_MS
    kept.end("shop", "fourth")
    assert read("first", "third", "fourth") == ["first", "third"]


def test_whatever_happens_the_count_of_bytes_is_right(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BROWSERS", 8)
    monkeypatch.setattr(room, "MAX_BYTES", 12_000)
    kept, draw = KeptBanners(clock, is_alone=False), random.Random(7)
    browsers = [Browser("shop", f"b{number}") for number in range(12)]
    for _ in range(3_000):
        clock.now_ms += draw.randrange(2_000)
        browser, message_id = draw.choice(browsers), f"m{draw.randrange(40)}"
        one = Banner(message_id, b" " * draw.randrange(900), clock.now_ms + draw.randrange(60_000))
        match draw.randrange(6):
            case 0 | 1 | 2:
                kept.note(browser, one, is_waiting=draw.random() < 0.5)
            case 3:
                kept.end("shop", message_id)
            case 4:
                kept.learn(browser, kept.meet(browser), clock.now_ms, [one], are_all=draw.random() < 0.5)
            case _:
                kept.collect(browser)
        held = [one for shelf in kept._shelves.values() for _, one in shelf.banners]
        assert kept.size_bytes == sum(len(one.payload) + room._BANNER_BYTES for one in held)
        assert sum(map(len, kept._holders.values())) == len(held)
        assert len(kept) <= 8
        assert kept.size_bytes <= 12_000


def test_a_stranger_who_says_that_a_message_was_shown_ends_it_for_nobody_else(kept: KeptBanners, clock: Clock) -> None:
    learn_nothing(kept, clock, ADA)
    kept.note(ADA, banner("m"), is_waiting=True)
    kept.end("shop", "m", "ben")
    assert names(kept, ADA) == ["m"]
    kept.end("shop", "m", "ada")
    assert names(kept, ADA) == []
    assert kept.collect(ADA) == []


def test_a_browser_that_showed_a_message_before_it_came_here_is_not_offered_it_again(
    kept: KeptBanners, clock: Clock
) -> None:
    kept.end("shop", "m", "ada")
    for browser, expected in ((ADA, []), (BEN, ["m"])):
        found = kept.learn(browser, kept.meet(browser), clock.now_ms, [banner("m")], are_all=True)
        assert [one.message_id for one in found] == expected


def test_a_browser_that_was_erased_is_forgotten_with_its_banners(kept: KeptBanners) -> None:
    for browser in (ADA, BEN):
        kept.note(browser, banner("both"), is_waiting=True)
    kept.note(ADA, banner("hers"), is_waiting=True)
    kept.forget_erased(lambda site, anonymous_id: (site, anonymous_id) == ("shop", "ada"))
    assert len(kept) == 1
    assert kept.collect(ADA) == []
    assert [each.message_id for each in kept.collect(BEN)] == ["both"]
    kept.forget_erased(lambda *_: True)
    assert (len(kept), kept.size_bytes) == (0, 0)

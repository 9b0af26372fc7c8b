"""Keeps in memory, within bounds, which banners a browser has not shown yet, and whether those are all of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from collector.banners.banner import Banner, Browser
from warehouse.newborn import born_at

MAX_BROWSERS: Final = 50_000
MAX_BYTES: Final = 32 * 1024 * 1024
#: Banners of one browser; of more, the oldest leaves, and the browser is no longer known.
MAX_BANNERS_EACH: Final = 10
#: Banners that wait for a browser's next page or batch; of more, the oldest waits no longer.
MAX_WAITING_EACH: Final = 5
#: How long a browser stays known, in ms: a notice that went astray holds its banner back for no longer.
KNOWN_FOR_MS: Final = 600_000
#: The longest that a banner takes from its notice to ClickHouse, in ms, as long as ClickHouse is there. What was read
#: within this time after the start is read once more after it, for banners whose notices went out before the start.
SETTLED_AFTER_MS: Final = 30_000
#: The age up to which an id counts as just made, in ms.
NEWBORN_MS: Final = 20_000
#: Messages that were shown or went another way, of which ClickHouse may not have heard, and for how long, in ms.
MAX_ENDED: Final = 50_000
ENDED_FOR_MS: Final = 600_000
#: What a kept banner takes beside its payload, in bytes.
_BANNER_BYTES: Final = 700

#: A message, by its site and its id.
_Key = tuple[str, str]
#: The end of a message, by site and id, for one browser or for `_EVERYBODY`.
_End = tuple[str, str, str]
_EVERYBODY: Final = ""


@dataclass(slots=True)
class Shelf:
    """The banners of one browser.

    Args:
        asked_at: epoch ms, when ClickHouse was asked for the rest of them; 0 for never.
        banners: sent to the browser and not shown yet, oldest first, each with the instant at which it came (epoch ms).
        waiting: those that neither a page nor the reply to a batch has got yet.
    """

    asked_at: int = 0
    banners: tuple[tuple[int, Banner], ...] = ()
    waiting: tuple[Banner, ...] = ()


class KeptBanners:
    """The unshown banners of the browsers that were seen last; the least recently seen leave first.

    A browser is known when its shelf has all of its unshown banners: it was empty-handed when its id was made, or
    ClickHouse was asked, and every notice since then came here. Where other collectors take events as well, a banner on
    the shelf may have been shown without a word to this one, so that only an empty shelf is known.

    Args:
        now_ms: returns the present, in epoch ms.
        is_alone: whether no other collector takes events.
    """

    def __init__(self, now_ms: Callable[[], int], *, is_alone: bool) -> None:
        self._now_ms = now_ms
        self._is_alone = is_alone
        self._heard_since = now_ms()
        self._shelves: OrderedDict[Browser, Shelf] = OrderedDict()
        self._holders: dict[_Key, set[Browser]] = {}
        self._ended: OrderedDict[_End, int] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        """Return the number of browsers."""
        return len(self._shelves)

    def meet(self, browser: Browser) -> Shelf:
        """Return the shelf of a browser, which counts as seen now."""
        shelf = self._shelves.get(browser)
        if shelf is None:
            shelf = self._shelves[browser] = Shelf()
            self._make_room()
        else:
            self._shelves.move_to_end(browser)
        return shelf

    def knows(self, shelf: Shelf) -> bool:
        """Tell whether a shelf has all unshown banners of its browser."""
        now_ms, settled_at = self._now_ms(), self._heard_since + SETTLED_AFTER_MS
        if shelf.asked_at < self._heard_since or now_ms >= shelf.asked_at + KNOWN_FOR_MS:
            return False
        return (shelf.asked_at >= settled_at or now_ms < settled_at) and (self._is_alone or not shelf.banners)

    def welcome(self, browser: Browser, shelf: Shelf) -> bool:
        """Tell whether a browser's id was made just now, so that no banner was sent to it but those on its shelf."""
        now_ms, born = self._now_ms(), born_at(browser.anonymous_id)
        if born is None or not max(self._heard_since, now_ms - NEWBORN_MS) < born <= now_ms:
            return False
        shelf.asked_at = max(now_ms, self._heard_since + SETTLED_AFTER_MS)
        return True

    def note(self, browser: Browser, banner: Banner, *, is_waiting: bool) -> None:
        """Keep a banner that was sent to a browser just now.

        Args:
            browser: the browser.
            banner: the banner; one that is kept already is not kept twice.
            is_waiting: whether the browser has no open page that gets it.
        """
        shelf = self.meet(browser)
        for told_by in (_EVERYBODY, browser.anonymous_id):
            self._ended.pop((browser.site, banner.message_id, told_by), None)
        if is_waiting:
            shelf.waiting = (*_without(shelf.waiting, banner.message_id), banner)[-MAX_WAITING_EACH:]
        if any(kept.message_id == banner.message_id for _, kept in shelf.banners):
            return
        now_ms = self._now_ms()
        banners = [(at, kept) for at, kept in shelf.banners if kept.expires_at > now_ms]
        if len(banners) == MAX_BANNERS_EACH:
            shelf.asked_at = 0
        self._fill(browser, shelf, (*banners[1 - MAX_BANNERS_EACH :], (now_ms, banner)))

    def has_had(self, browser: Browser, banner: Banner) -> bool:
        """Tell whether a banner is on the shelf of a browser, or was shown, as far as that is known."""
        holders = self._holders.get((browser.site, banner.message_id), ())
        return browser in holders or self._is_ended(browser, banner)

    def learn(
        self, browser: Browser, shelf: Shelf, asked_at: int, found: list[Banner], *, are_all: bool
    ) -> list[Banner]:
        """Put what ClickHouse has on a shelf, and return all unshown banners of its browser, oldest first.

        The shelf is not filled when its browser left meanwhile, and notices with it.

        Args:
            browser: the browser.
            shelf: its shelf at the instant of asking.
            asked_at: the instant of asking, epoch ms.
            found: the browser's unshown banners, oldest first.
            are_all: whether there are no others.
        """
        stored = [(asked_at, banner) for banner in found if not self._is_ended(browser, banner)]
        names = {banner.message_id for banner in found}
        # What came lately may not have reached ClickHouse, as after an outage; what came earlier and is not found was
        # shown elsewhere, or erased.
        since = asked_at - (KNOWN_FOR_MS if self._is_alone else SETTLED_AFTER_MS)
        recent = [(at, banner) for at, banner in shelf.banners if at >= since and banner.message_id not in names]
        banners = (*stored, *recent)
        if self._shelves.get(browser) is shelf:
            shelf.asked_at = asked_at if are_all and len(banners) <= MAX_BANNERS_EACH else 0
            self._fill(browser, shelf, banners[-MAX_BANNERS_EACH:])
        return [banner for _, banner in banners]

    def collect(self, browser: Browser) -> list[Banner]:
        """Return the banners that wait for a browser; they wait no longer."""
        shelf = self._shelves.get(browser)
        if shelf is None:
            return []
        self._shelves.move_to_end(browser)
        waiting, shelf.waiting = shelf.waiting, ()
        now_ms = self._now_ms()
        return [banner for banner in waiting if banner.expires_at > now_ms]

    def end(self, site: str, message_id: str, told_by: str = "") -> None:
        """Take a message off all shelves, because it was shown or went another way.

        Args:
            site: the site of the message.
            message_id: the message.
            told_by: the anonymous id of the browser that says so; '' when it is known otherwise. A browser that is not
                known to have the message ends it for itself alone.
        """
        key, now_ms = (site, message_id), self._now_ms()
        if told_by and Browser(site, told_by) not in self._holders.get(key, ()):
            self._note_end((*key, told_by), now_ms)
            return
        for browser in list(self._holders.get(key, ())):
            shelf = self._shelves[browser]
            shelf.waiting = _without(shelf.waiting, message_id)
            self._fill(browser, shelf, tuple(one for one in shelf.banners if one[1].message_id != message_id))
        self._note_end((*key, _EVERYBODY), now_ms)

    def _note_end(self, end: _End, now_ms: int) -> None:
        self._ended[end] = now_ms
        self._ended.move_to_end(end)
        while len(self._ended) > MAX_ENDED or next(iter(self._ended.values())) <= now_ms - ENDED_FOR_MS:
            self._ended.popitem(last=False)

    def _is_ended(self, browser: Browser, banner: Banner) -> bool:
        key = (browser.site, banner.message_id)
        return (*key, _EVERYBODY) in self._ended or (*key, browser.anonymous_id) in self._ended

    def forget_erased(self, is_erased: Callable[[str, str], bool]) -> None:
        """Forget the browsers that were erased."""
        for browser in [each for each in self._shelves if is_erased(each.site, each.anonymous_id)]:
            shelf = self._shelves[browser]
            self._fill(browser, shelf, ())
            del self._shelves[browser]

    def forget_all(self) -> None:
        """Know no browser from now on, because notices may have been lost; what is kept is not all there is."""
        self._heard_since = self._now_ms() + 1

    def _fill(self, browser: Browser, shelf: Shelf, banners: tuple[tuple[int, Banner], ...]) -> None:
        for _, banner in shelf.banners:
            self._release(browser, banner)
        for _, banner in banners:
            self._holders.setdefault((browser.site, banner.message_id), set()).add(browser)
            self.size_bytes += len(banner.payload) + _BANNER_BYTES
        shelf.banners = banners
        self._make_room()

    def _release(self, browser: Browser, banner: Banner) -> None:
        key = (browser.site, banner.message_id)
        holders = self._holders[key]
        holders.discard(browser)
        if not holders:
            del self._holders[key]
        self.size_bytes -= len(banner.payload) + _BANNER_BYTES

    def _make_room(self) -> None:
        while len(self._shelves) > MAX_BROWSERS or self.size_bytes > MAX_BYTES:
            browser, shelf = self._shelves.popitem(last=False)
            for _, banner in shelf.banners:
                self._release(browser, banner)


def _without(banners: tuple[Banner, ...], message_id: str) -> tuple[Banner, ...]:
    return tuple(banner for banner in banners if banner.message_id != message_id)

"""The steps about consent: answers are brought into their one form, and what a visitor refused is not kept."""

from __future__ import annotations

from typing import Any, Final

from collector.intake.draft import Draft, Drop, DropReason, WarningReason
from warehouse.answer_form import ANSWER_KEYS, answer_of_traits, read_consent
from warehouse.answers import joined_channels, left_channels

#: Answers about consent are always kept: they are the record of the question and the answer. So is the address for
#: notifications, which the browser gave out because the visitor agreed to them.
_ALWAYS_KEPT: Final = frozenset({"consent", "unsubscribed", "push_subscribed"})
_ANSWERING: Final = frozenset({"consent", "unsubscribed", "subscribe", "identify"})
_REMEDY: Final = "say true or false"
_OR_CATEGORY: Final = ", or name the category in consent_categories"
_REFUSED: Final = "the visitor refused analytics"
_UNASKED: Final = "this site keeps only what a visitor agreed to"
_OUR_SDK: Final = "mm.js"
_NO_ANSWER: Final = "it answers none of marketing, analytics, channels"


def read_answers(draft: Draft) -> None:
    """Bring the answer that an event gives into its one form, in whichever words it was given."""
    event = draft.columns["event"]
    if event not in _ANSWERING:
        return
    unread: list[str] = []
    if event == "identify":
        _read_traits(draft, unread)
    elif event == "consent":
        _read_consent(draft, unread)
    else:
        _read_channels(draft, unread)
    if unread:
        places = ", ".join(dict.fromkeys(unread))
        draft.warn(WarningReason.CONSENT_UNREADABLE, f"taken as a no: {places[:100]}: {_REMEDY}")


def _read_consent(draft: Draft, unread: list[str]) -> None:
    site, props = draft.site, draft.props
    answer = read_consent(props, unread, site.consent_categories)
    if ANSWER_KEYS.isdisjoint(answer):
        # Consent managers tell that an answer has changed, and the answer in the context.
        said = read_consent(draft.context.get("consent"), unread, site.consent_categories, "context.consent")
        answer = {**answer, **{name: value for name, value in said.items() if name in ANSWER_KEYS}}
    if ANSWER_KEYS.isdisjoint(answer) and not unread:
        draft.warn(WarningReason.CONSENT_UNREADABLE, _NO_ANSWER)
    draft.props = answer


def _read_traits(draft: Draft, unread: list[str]) -> None:
    """Read the answer that traits give, and a refusal of marketing in the context: a yes there is none of now."""
    categories = draft.site.consent_categories
    answer = answer_of_traits(draft.traits, unread, categories)
    said = draft.context.get("consent")
    # Our own SDK tells each answer by an event; what it keeps may be older than what was said elsewhere since.
    if said is not None and "marketing" not in answer and draft.section("library").get("name") != _OUR_SDK:
        state = read_consent(said, [], categories, "context.consent")
        if state.get("marketing") is False:
            answer = {**answer, "marketing": False}
    if answer:
        draft.traits = {**draft.traits, "consent": answer}


def _read_channels(draft: Draft, unread: list[str]) -> None:
    props = draft.props
    if not props.keys() & {"channel", "channels", "Channel"}:
        return
    read = left_channels if draft.columns["event"] == "unsubscribed" else joined_channels
    named = read(props, unread)
    rest: dict[str, Any] = {name: value for name, value in props.items() if name not in {"channels", "Channel"}}
    draft.props = {**rest, "channel": named[0] if len(named) == 1 else list(named)}


def drop_without_consent(draft: Draft) -> Drop | None:
    """Drop an event that the visitor refused, or did not agree to where the site's mode is `opt-in`.

    An explicit answer outweighs the browser's Global Privacy Control or Do Not Track.
    """
    mode = draft.site.consent
    if mode == "off" or draft.receipt.source == "import" or draft.columns["event"] in _ALWAYS_KEPT:
        return None
    said = draft.context.get("consent")
    answer, detail = said.get("analytics") if type(said) is dict else None, _REFUSED
    if answer is not True and answer is not False and said is not None:
        unread: list[str] = []
        answer = read_consent(said, unread, draft.site.consent_categories, "context.consent").get("analytics")
        detail = f"taken as a no: {unread[0][:100]}: {_REMEDY}{_OR_CATEGORY}" if unread else _REFUSED
    if answer is True or (answer is None and mode == "opt-out" and not draft.receipt.opted_out):
        return None
    if answer is None:
        detail = _UNASKED if mode == "opt-in" else "the browser asks not to be tracked"
    return draft.dropped(DropReason.NO_CONSENT, detail)

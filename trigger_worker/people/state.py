"""The state of one person: all that rules, the gate and templates may ask about them, growing event by event."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Final

from trigger_worker.people.arrival import Arrival
from trigger_worker.people.surroundings import Surroundings
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.rules.evaluate.history import History
from trigger_worker.rules.evaluate.tellings import telling_place
from trigger_worker.store.decisions import DecisionRecord, Placement, Version, placement_of
from trigger_worker.store.fires import Fire, PastFires
from trigger_worker.store.message import MessageRecord
from trigger_worker.store.people import Person, Visitor
from trigger_worker.store.sent import PersonMessage, SentMessage
from trigger_worker.store.windows import Wanted
from warehouse.vocabulary import ORDER_EVENTS, OUTCOME_STATES

#: Bytes that a person takes without events, and that an event, a field of it, a firing or a message takes, about, as
#: `bench people` measured; what is in the fields is added.
_PERSON_BYTES: Final = 4_000
_EVENT_BYTES: Final = 560
_FIELD_BYTES: Final = 40
_ENTRY_BYTES: Final = 100
#: A text of this length is counted with its field.
_SHORT: Final = 32
_FACT_BYTES: Final = 500

#: A row of the worker's own that changes what is known of a person.
Write = Fire | DecisionRecord | MessageRecord


class PersonState:
    """What is known of one person.

    Args:
        person: the person, with every id.
        history: the events that rules, gate and templates look at.
        surroundings: context fields such as `device`, over time.
        since: the history is complete for every instant from then on, epoch ms.
        fires: the firings of before.
        messages: the messages of before.
        placements: by rule and version, the person's place in the rule's experiment.

    Attributes:
        key: the person's own id.
        names: every id by which the person is found in memory.
        size: the bytes that the state takes, about.
    """

    __slots__ = (
        "_ids",
        "_sent",
        "fires",
        "history",
        "key",
        "messages",
        "names",
        "person",
        "placements",
        "since",
        "size",
        "surroundings",
    )

    def __init__(
        self,
        person: Person,
        history: History | None = None,
        surroundings: Surroundings | None = None,
        since: int = 0,
        fires: PastFires | None = None,
        messages: Iterable[PersonMessage] = (),
        placements: Mapping[Version, Placement] | None = None,
    ) -> None:
        self.person = person
        self.key = Visitor(person.site, person.visitor_id)
        self.names: set[Visitor] = set()
        self.history = history or History((), {})
        self.surroundings = surroundings or Surroundings()
        self.history.surround(self.surroundings.changes)
        self.since = since
        self.fires = fires or PastFires()
        self.messages = {message.message_id: message for message in messages}
        #: Of these, the ones that were sent: most of what somebody's events ask for is not.
        self._sent = {id_: message for id_, message in self.messages.items() if "sent" in message.states}
        self.placements = dict(placements or {})
        self._ids = {event.event_id for event in self.history.events}
        facts = len(self.fires) + len(self.messages) + len(self.placements)
        self.size = _PERSON_BYTES + sum(map(_size, self.history.events)) + _FACT_BYTES * facts

    @property
    def placed_as(self) -> str:
        """The id by which experiments place the person: the one that the first firing found, else the person's own."""
        return self.fires.first_visitor_id or self.person.visitor_id

    def take(self, arrivals: Iterable[Arrival], wanted: Wanted) -> list[Arrival]:
        """Add events, as far as they are wanted and not known; return those that need the person to be read anew.

        Such an event came late, and its surroundings differ from those before and after it.

        Args:
            arrivals: events of the person, under any id.
            wanted: the part of a history that is kept.
        """
        fresh: dict[str, Event] = {}
        misfits: list[Arrival] = []
        for arrival in sorted(arrivals, key=_place):
            event = arrival.event
            is_repeat = event.event_id in self._ids or event.event_id in fresh
            if is_repeat and not self._goes_before(event, fresh.get(event.event_id)):
                continue
            if not self.surroundings.fit(event, wanted.contexts):
                misfits.append(arrival)
                continue
            self.surroundings.add(event, wanted.contexts)
            if event.name in OUTCOME_STATES:
                self._reach(event)
            if wanted.takes(event.name):
                fresh[event.event_id] = wanted.cut(event)
        self._grow(fresh)
        return misfits

    def _goes_before(self, event: Event, together: Event | None) -> bool:
        """Tell whether an event goes before the known one of its id: an order may have been told earlier.

        Args:
            event: the event.
            together: one of the same id that comes together with it.
        """
        if together is not None:
            return event.name in ORDER_EVENTS and telling_place(event) < telling_place(together)
        return self.history.is_told_earlier(event)

    def rewriting(self, arrivals: Iterable[Arrival]) -> int:
        """Return how many events must be put in order anew to add some: none where these come after all others."""
        events = (arrival.event for arrival in arrivals)
        fresh = (each for each in events if each.event_id not in self._ids or self.history.is_told_earlier(each))
        return len(self.history.events) if any(map(self.history.is_before_others, fresh)) else 0

    def _grow(self, fresh: Mapping[str, Event]) -> None:
        self._ids.update(fresh)
        self.history.add(list(fresh.values()))
        self.history.surround(self.surroundings.changes)
        self.size += sum(map(_size, fresh.values()))

    def note(self, write: Write) -> None:
        """Note a row that the worker stored about the person; a row that is known already changes nothing."""
        self.size += _FACT_BYTES
        if isinstance(write, Fire):
            self.fires.add(write.as_past())
        elif isinstance(write, DecisionRecord):
            placement = placement_of(write)
            if placement is not None:
                self.placements.setdefault((write.message.rule, write.message.version), placement)
        else:
            self._note_message(write)

    def sent(self, since: int, but_not: Container[str] = ()) -> dict[str, SentMessage]:
        """Return, by id, the messages that the person was sent after `since` (epoch ms).

        Args:
            since: epoch ms.
            but_not: ids of messages to leave out.
        """
        return {
            id_: sent
            for id_, message in self._sent.items()
            if id_ not in but_not and (sent := message.as_sent(since)) is not None
        }

    def fire_facts(self, fire_id: str) -> dict[str, bool]:
        """Return the states that the messages of a firing reached, such as `opened(email)`, as rules name them."""
        facts: dict[str, bool] = {}
        for message in self.messages.values():
            if message.fire_id == fire_id:
                facts |= message.facts()
        return facts

    def _note_message(self, record: MessageRecord) -> None:
        message = record.message
        known = self.messages.get(message.message_id)
        if known is None:
            known = self.messages[message.message_id] = PersonMessage(
                message.message_id,
                message.fire_id,
                message.channel,
                message.rule,
                frozenset(message.tags),
                message.message_class,
                {},
            )
        known.reach(record.state, record.at)
        if record.state == "sent":
            self._sent[message.message_id] = known

    def _reach(self, event: Event) -> None:
        """Move the message that an event is about; what a machine did, such as fetching a picture, moves nothing."""
        message = self.messages.get(str(event.fields.get("message_id")))
        if message is None or event.fields.get("machine") is True:
            return
        state, sent_at = OUTCOME_STATES[event.name], message.states.get("sent")
        # A failure from before it was sent was overcome by another attempt.
        if sent_at is not None and (state != "failed" or event.ts >= sent_at):
            message.reach(state, event.ts)


def _place(arrival: Arrival) -> tuple[int, str]:
    return arrival.event.ts, arrival.event.event_id


def _size(event: Event) -> int:
    return _EVENT_BYTES + sum(_FIELD_BYTES + _content_size(value) for value in event.fields.values())


def _content_size(value: object) -> int:
    """Return what a value takes beyond a number or a short text, about: pages choose how much is in a property."""
    match value:
        case str():
            return max(0, len(value) - _SHORT)
        case list():
            return sum(_ENTRY_BYTES + _content_size(each) for each in value)
        case dict():
            return sum(_ENTRY_BYTES + len(name) + _content_size(each) for name, each in value.items())
        case _:
            return 0

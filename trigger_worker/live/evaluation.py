"""Ask rules about what arrived, on the bus or in the feed, and hand what fires over to be delivered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from trigger_worker.deciding.decider import Decided
from trigger_worker.deciding.sequence.queueing import queue_messages
from trigger_worker.live.candidates import Candidate, Candidates, NewestSeen
from trigger_worker.live.live_rules import LiveRules
from trigger_worker.live.sweep import Due
from trigger_worker.live.turn import Fired, PersonTurn, Trouble, turn
from trigger_worker.metrics import WorkerMetrics
from trigger_worker.people.memory import People
from trigger_worker.people.state import PersonState
from trigger_worker.rules.evaluate.compiled_rule import CompiledRule
from trigger_worker.rules.evaluate.event import Event
from trigger_worker.store.decisions import Version
from trigger_worker.store.feed import News
from trigger_worker.store.fires import Fire
from trigger_worker.store.message import QueuedMessage
from trigger_worker.store.people import Visitor

#: Events with all of their fields, by the person and the id of the event.
WholeEvents = Mapping[tuple[PersonState, str], Event]
#: Carries out what fired; nothing is lost when it fails with a JournalError, and nothing was sent.
Effects = Coroutine[Any, Any, None]
_log = structlog.get_logger("trigger_worker.live.evaluation")


class Delivery(Protocol):
    """Whoever delivers the messages of firings."""

    def add(self, messages: Iterable[QueuedMessage]) -> None:
        """Add messages, to be decided on when they are due."""

    def message_ids(self) -> set[str]:
        """Return the ids of all messages that wait, are decided on, or are being handed over."""

    def decide_at_once(
        self,
        queued: Sequence[QueuedMessage],
        people: Mapping[Visitor, PersonState],
        rules: Mapping[Version, CompiledRule],
        now_ms: int,
    ) -> list[Decided]:
        """Return verdicts on those messages of new firings that can go out now."""

    def deliver(
        self, decided: Sequence[Decided], fires: Sequence[Fire] = (), queued: Sequence[QueuedMessage] = ()
    ) -> Effects:
        """Carry out verdicts; store firings with them, and let the other messages of the firings wait for their time.

        Raises:
            JournalError: nothing was stored, and nothing is sent.
        """


class Question(msgspec.Struct, frozen=True):
    """What is new, and about whom: the news and the waits that are over, with the people behind them.

    Args:
        news: events that were not asked about before.
        due: by wait, the events whose wait is over.
        people: the person behind each visitor in both.
    """

    news: Sequence[News]
    due: Due
    people: Mapping[Visitor, PersonState]

    def without(self, states: Collection[PersonState]) -> Question:
        """Return the question about all but some people."""
        return self._about(lambda visitor: self.people[visitor] not in states)

    def only(self, state: PersonState) -> Question:
        """Return the question about one person alone."""
        return self._about(lambda visitor: self.people[visitor] is state)

    def _about(self, is_asked: Callable[[Visitor], bool]) -> Question:
        due = [(wait, [one for one in anchors if is_asked(one.visitor)]) for wait, anchors in self.due]
        return Question(
            [item for item in self.news if is_asked(item.visitor)],
            [(wait, anchors) for wait, anchors in due if anchors],
            {visitor: state for visitor, state in self.people.items() if is_asked(visitor)},
        )


class Evaluation:
    """Asks the live rules.

    Args:
        people: the people in memory.
        delivery: delivers the messages of firings.
        metrics: counts candidates and firings.

    Attributes:
        rules: the live rules.
        newest_seen: the latest instant that rules were asked about, for each visitor seen of late.
    """

    def __init__(self, people: People, delivery: Delivery, metrics: WorkerMetrics) -> None:
        self.rules = LiveRules()
        self.newest_seen = NewestSeen()
        self._people = people
        self._delivery = delivery
        self._metrics = metrics
        #: The rule versions that were told of because they could not be asked.
        self._told: set[Version] = set()

    def ask(self, question: Question, now_ms: int) -> tuple[list[Fired], list[PersonState]]:
        """Return what fires, and the people who take longer than a turn may; nothing is changed by asking.

        Args:
            question: what is new.
            now_ms: the latest instant asked about, epoch ms.
        """
        answers = turn(self._asked(question), self.rules.completions, now_ms)
        self._tell(answers.troubles)
        return answers.fired, answers.unfinished

    def turns(self, question: Question, now_ms: int) -> list[PersonTurn]:
        """Return what `ask` does as one turn for each person, which is taken a portion at a time; end it by `end_turn`.

        Args:
            question: what is new.
            now_ms: the latest instant asked about, epoch ms.
        """
        asked = self._asked(question)
        return [PersonTurn(state, candidate, self.rules.completions, now_ms) for state, candidate in asked.items()]

    def end_turn(self, ended: PersonTurn) -> list[Fired]:
        """Return what fires by a turn that is over."""
        self._tell(ended.troubles)
        return ended.fired

    def _asked(self, question: Question) -> dict[PersonState, Candidate]:
        persons = {visitor: state.person for visitor, state in question.people.items()}
        candidates = Candidates(self.rules, persons)
        candidates.add_news(question.news, self.newest_seen)
        for wait, started in question.due:
            candidates.add_due(wait, started)
        states = {state.person: state for state in question.people.values()}
        self._metrics.candidates.inc(len(candidates.by_person))
        return {states[person]: candidate for person, candidate in candidates.by_person.items()}

    def _tell(self, troubles: Iterable[Trouble]) -> None:
        """Count rules that could not be asked, and tell of each version once."""
        for trouble in troubles:
            rule = trouble.compiled.rule
            self._metrics.rules_set_aside.labels(rule.id).inc()
            if (rule.id, rule.version) not in self._told:
                self._told.add((rule.id, rule.version))
                _log.error(
                    "rule_set_aside",
                    rule=rule.id,
                    error=type(trouble.error).__name__,
                    remedy="other rules go on; pause the rule, and report the mistake with its text and this line",
                    exc_info=trouble.error,
                )

    def fire(self, question: Question, fired: Sequence[Fired], whole: WholeEvents, now_ms: int) -> Effects | None:
        """Take note of what fires, and decide on the messages that can go out at once; return what is still to be done.

        Args:
            question: what was asked.
            fired: the answers.
            whole: the events that completed the patterns.
            now_ms: the instant of the decisions, epoch ms.
        """
        self._remember(question)
        if not fired:
            return None
        try:
            return self._fire(fired, whole, now_ms)
        except Exception:
            self.take_back(question)
            raise

    def _fire(self, fired: Sequence[Fired], whole: WholeEvents, now_ms: int) -> Effects:
        fires = [one.fire(whole.get((one.state, one.match.event.event_id), one.match.event)) for one in fired]
        queued: list[QueuedMessage] = []
        rules: dict[Version, CompiledRule] = {}
        people: dict[Visitor, PersonState] = {}
        for one, fire in zip(fired, fires, strict=True):
            rule = one.compiled.rule
            self._metrics.fires_of(rule.id).inc()
            # At once: the row is noted when it is on its way to the disk, and the next question may come before.
            one.state.fires.add(fire.as_past())
            people[one.state.key] = one.state
            rules[rule.id, rule.version] = one.compiled
            queued += queue_messages(rule, fire, now_ms)
        decided = self._delivery.decide_at_once(queued, people, rules, now_ms)
        return self._delivery.deliver(decided, fires, queued)

    def take_back(self, question: Question) -> None:
        """Forget the people of a question whose answers could not be stored: they know of firings that never were."""
        for visitor in question.people:
            self._people.forget(visitor)

    def _remember(self, question: Question) -> None:
        self.newest_seen.remember((item.visitor, item.ts) for item in question.news)
        for wait, anchors in question.due:
            self.newest_seen.remember((anchor.visitor, anchor.ts + wait.wait_ms) for anchor in anchors)

"""Random messages and policies whose verdicts do not hang on the second in which they are decided on.

A message that the bus did not bring is decided on some seconds later. No cap, gap, quiet time or message ends within
these seconds, so that both are decided alike; which of the two comes first at such a border is not the question here.
"""

from __future__ import annotations

from random import Random
from typing import Final

from tests.trigger_worker.agreement.disturbances import HOUR, MINUTE, Crowded
from tests.trigger_worker.rules.evaluate.reference import DAY, Compare, Term

#: Added to whole hours or units: apart from every distance of two instants at which messages are decided on.
BORDER_MS: Final = 30 * MINUTE
#: A gap, so that what is put off by it is apart from all else, too.
GAP_MS: Final = 17 * MINUTE
AFTER_MS: Final = 10 * MINUTE
#: After each instant, when messages are decided on that wait for `AFTER_MS`, for a gap, or for the end of a quiet time:
#: apart from every instant at which others are.
LATER_MS: Final = {
    "caps": (16 * MINUTE,),
    "gap": (42 * MINUTE, 59 * MINUTE + 30_000),
    "quiet": (16 * MINUTE, 42 * MINUTE),
}
HOOK: Final = '{"visitor": "{{ visitor.id }}"}'


class Sends:
    """Makes what rules send, and the policy that restrains it.

    Args:
        generate: makes the rules.
    """

    def __init__(self, generate: Crowded) -> None:
        self._generate = generate
        self._random: Random = generate.random
        # Where instants are days apart, nobody sweeps when a quiet time is over.
        self._restraint = self._random.choice(["caps", "caps", "gap", *(["quiet"] if generate.unit < DAY else [])])
        self.later_ms = LATER_MS[self._restraint]

    def policy(self) -> str:
        """Return the text of a policy."""
        random = self._random
        match self._restraint:
            case "caps":
                kinds = ["channel: banner, ", "tag: discount, ", "class: marketing, ", ""]
                caps = [
                    f"  - {{{random.choice(kinds)}max: {random.randrange(1, 4)}, per: {self._border()}ms}}"
                    for _ in range(random.randrange(3))
                ]
                text = "caps:\n" + "\n".join(caps) + "\n" if caps else ""
                if random.random() < 0.5 and self._generate.unit < DAY:
                    text += f"fatigue: {{ignored: {random.randrange(1, 3)}, rest: {self._border()}ms}}\n"
                return text + (f"holdout: {random.choice([0, 20])}%\n")
            case "gap":
                return f"gap: {{banner: {GAP_MS}ms, webhook: {GAP_MS}ms}}\n"
            case _:
                hours = random.choice(["13:50-16:40", "11:50-12:40", "00:50-23:40"])
                then = random.choice(["", "", ", then: drop"])
                return f"quiet: {{hours: {hours}, banner: {hours}{then}}}\n"

    def of_a_rule(self) -> str:
        """Return the lines of a rule file about what it sends."""
        random = self._random
        lines = [
            f"class: {random.choice(['marketing', 'marketing', 'marketing', 'transactional'])}",
            f"priority: {random.choice([10, 50, 50, 90])}",
            f"ttl: {self._ttl()}ms",
            f"restart: {random.choice(['true', 'false', 'false'])}",
        ]
        if random.random() < 0.3:
            lines.append(f"goal: {random.choice(['purchase', 'add_to_cart'])} within {self._border()}ms")
        if random.random() < 0.3:
            lines += ["experiment:", "  holdout: 30%", "  arms: {plain: 50, bold: 50}"]
        lines.append("send:")
        for place in range(random.choice([1, 1, 2])):
            lines += self._entry(place)
        return "\n".join(lines) + "\n"

    def _entry(self, place: int) -> list[str]:
        random = self._random
        channel, template = random.choice([("banner", "hello"), ("banner", "hello"), ("webhook", "hook")])
        lines = [f"  - {channel}: {template}"]
        if place and self._restraint != "gap":
            lines.append(f"    after: {self._hours_after() + AFTER_MS}ms")
        if random.random() < 0.3:
            lines.append("    tags: [discount]")
        if random.random() < 0.2:
            lines.append(f"    {random.choice(['if', 'unless'])}: {self._condition()}")
        return lines

    def _condition(self) -> str:
        which = self._generate._which()
        return Compare(Term("count", which, window=self._generate.span()), ">=", self._random.choice([1, 2])).text()

    def _hours_after(self) -> int:
        return self._random.randrange(3) * HOUR if self._generate.unit < DAY else 0

    def _whole(self) -> int:
        return min(self._generate.unit, 24 * HOUR)

    def _border(self) -> int:
        return self._random.randrange(1, 6) * self._whole() + BORDER_MS

    def _ttl(self) -> int:
        """Return how long a message lives; with a gap, not long enough to be put off until it meets others."""
        return 70 * MINUTE if self._restraint == "gap" else self._random.randrange(1, 30) * self._whole() + BORDER_MS

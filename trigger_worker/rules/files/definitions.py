"""Which audience definitions can be used: those that rest on nothing broken and not on themselves."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from trigger_worker.rules.language.errors import Finding
from trigger_worker.rules.language.references import AudienceKind, references
from trigger_worker.rules.language.syntax import Expression


class Key(msgspec.Struct, frozen=True):
    """The name of an audience; a stage without a name stands for all of them, as `stage` refers to them."""

    kind: AudienceKind
    name: str

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}"' if self.name else f"{self.kind}s"


class Mention(msgspec.Struct, frozen=True):
    """One audience that another refers to, `start` characters into its text."""

    key: Key
    start: int


Mentions = Mapping[Key, list[Mention]]


def mentions_of(expressions: Mapping[Key, Expression]) -> dict[Key, list[Mention]]:
    """Returns what each audience refers to; a mention of `stage` is one of every stage.

    Where all stages had to be left out, it is one of the stages as a whole, which are not there.
    """
    stages = [key for key in expressions if key.kind == "stage"] or [Key("stage", "")]
    found: dict[Key, list[Mention]] = {}
    for owner, node in expressions.items():
        found[owner] = []
        for kind, name, start in references(node):
            keys = stages if kind == "stage" else [Key(kind, name)]
            found[owner].extend(Mention(key, start) for key in keys)
    return found


def settled(mentions: Mentions) -> set[Key]:
    """Returns the audiences that rest, step by step, only on others that are there."""
    done: set[Key] = set()
    while True:
        ready = {
            key for key, found in mentions.items() if key not in done and all(mention.key in done for mention in found)
        }
        if not ready:
            return done
        done |= ready


def reason(key: Key, mentions: Mentions, done: set[Key]) -> Finding:
    """Returns why an audience is not settled: it refers to itself, or to one that cannot be used."""
    path, start = [key], 0
    while True:
        mention = next(each for each in mentions[path[-1]] if each.key not in done)
        start = start if len(path) > 1 else mention.start
        if mention.key == key:
            circle = " -> ".join(str(each) for each in (*path, key))
            return Finding(f"{key} refers to itself: {circle}", start)
        if mention.key in path or mention.key not in mentions:
            return Finding(f"{key} refers to {path[1] if len(path) > 1 else mention.key}, which cannot be used", start)
        path.append(mention.key)

"""What a template asks for and nobody has read yet."""

from __future__ import annotations


class MissingFacts(Exception):
    """A template asked for facts that have to be read first.

    Args:
        wish: what to read; whoever put the asking into the template's names understands it.
    """

    def __init__(self, wish: object) -> None:
        super().__init__(wish)
        self.wish = wish

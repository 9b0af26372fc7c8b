"""Text from outside, fit for a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """Replace what a terminal might take for a command: pages choose ids and names, and peers their answers."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)

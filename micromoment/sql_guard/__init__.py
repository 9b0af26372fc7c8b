"""Decides by parsing whether a statement of an operator only reads, and only what operators may read."""

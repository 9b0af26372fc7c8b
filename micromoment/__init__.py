"""The composition root: configuration and commands, which wire the rest together."""

"""Turns the bytes of a request into rows of events, by an ordered list of steps."""

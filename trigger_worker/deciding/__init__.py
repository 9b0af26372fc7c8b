"""Decide on messages: the verdict, the recipient, the arm of an experiment, the order of a firing's messages."""

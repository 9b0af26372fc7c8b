"""Imports files: history as events, and lists of addresses that get no more mail."""

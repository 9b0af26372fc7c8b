"""Reads the feedback on messages: opens, clicks, preferences, and the callbacks of providers."""

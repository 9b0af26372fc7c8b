"""The commands, one concern a file."""

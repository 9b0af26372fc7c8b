"""The roles of a process: each builds all parts of one server or loop from the settings."""

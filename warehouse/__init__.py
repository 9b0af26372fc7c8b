"""Defines an event, stores it in ClickHouse, and holds the types on which collector and worker must agree."""

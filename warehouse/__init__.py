"""What an event is, and how ClickHouse stores it."""

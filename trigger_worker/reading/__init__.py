"""What the worker asks ClickHouse: news, due timers, people, and windows of their events."""

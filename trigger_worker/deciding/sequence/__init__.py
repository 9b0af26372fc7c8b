"""The messages of a firing: when each is due, the outbox in which they wait, and messages asked for again."""

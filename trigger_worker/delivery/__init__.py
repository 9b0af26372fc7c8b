"""From a decision to a delivered message: rendering, attempts, and the records around each attempt."""

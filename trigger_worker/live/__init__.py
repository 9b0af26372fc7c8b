"""Rules over fresh events: what arrived, which visitors and rules it concerns, and the loop that evaluates them."""

"""Evaluate compiled rules over histories: the one definition behind the live worker, backtests and explanations."""

"""What rules mean: the one definition behind the live worker, backtests and explanations."""

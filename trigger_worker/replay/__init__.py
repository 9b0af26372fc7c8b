"""Rules over stored history: backtests, and explanations for one visitor."""

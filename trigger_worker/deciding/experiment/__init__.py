"""Experiments: the arm of each person, and the statistics of the results."""

"""A mail server and inbox for the demo: whatever is sent to it can be read in a browser, and goes nowhere else."""

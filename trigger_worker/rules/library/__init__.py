"""Ready rules, audiences, templates and a policy, for a shop to start from."""

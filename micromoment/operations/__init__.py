"""What operators ask of a running process, at a port of its own."""

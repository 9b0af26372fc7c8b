"""The embedded engine for other processes: a socket to the process that has the data folder open."""

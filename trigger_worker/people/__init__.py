"""Who is here: the state of each person in memory, and how it is loaded, kept, joined and forgotten."""

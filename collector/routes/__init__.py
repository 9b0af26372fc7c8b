"""HTTP: one module for each group of routes, each thin over the rooms below it."""

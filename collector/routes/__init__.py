"""Answers HTTP requests: one module for each group of routes, each thin over the packages below it."""

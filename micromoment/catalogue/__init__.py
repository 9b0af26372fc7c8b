"""Reads feeds of products into the catalogue."""

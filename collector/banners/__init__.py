"""Passes banners to the open pages of browsers, and checks which browser may open a stream."""

"""A demo shop whose pages carry the snippet of Micromoment; it imports nothing else of the project."""

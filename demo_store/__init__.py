"""A small shop that carries the pasted snippet and nothing else of Micromoment's."""

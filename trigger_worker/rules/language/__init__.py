"""The rule language: parse a text, check it, and render it canonically."""

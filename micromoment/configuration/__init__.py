"""The settings of an installation: their sources, their types, and the secrets kept beside them."""

"""Read rule files and audiences: from YAML to checked rules."""

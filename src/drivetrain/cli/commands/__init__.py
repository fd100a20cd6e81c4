"""One file a command; its module docstring is its help text."""

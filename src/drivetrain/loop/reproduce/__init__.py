"""A version made again from its record, beside the project's state, and held against what was kept."""

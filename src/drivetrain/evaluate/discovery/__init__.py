"""Where a model is worse than it says: groups of rows that nobody named, searched for and judged."""

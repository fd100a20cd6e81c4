"""The steps of the road: each makes a :class:`Node` out of a definition."""

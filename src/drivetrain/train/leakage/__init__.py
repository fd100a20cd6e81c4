"""Looking for leaks before a fit: what tells the label and could not have been known, each with its evidence."""

"""Two sets of rows, compared exactly: column by column, what differs more than chance would have it."""

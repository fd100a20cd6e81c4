"""Where raw rows are read from, each with a cursor of its own."""

"""What each protocol says on the wire: bodies made into calls, and answers made into bodies."""

"""Summaries of a column that are small, and whose merger is the summary of both columns."""

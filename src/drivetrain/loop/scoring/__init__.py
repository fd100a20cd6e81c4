"""Scoring files: rows are read in batches, checked, given their features, predicted, and written with the answers."""

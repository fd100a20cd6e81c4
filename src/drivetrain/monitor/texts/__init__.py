"""Drift of texts and of vectors: where they lie, which words they are made of, and what chance does to either."""

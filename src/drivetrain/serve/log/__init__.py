"""The prediction log: an append-only file per worker and endpoint, compacted into Delta tables."""

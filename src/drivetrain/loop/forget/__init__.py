"""One subject, forgotten: erased from tables, features, logs, quarantine and records, and proven to be."""

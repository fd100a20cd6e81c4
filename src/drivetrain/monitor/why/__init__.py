"""Where a fall in performance comes from: inputs or concept, which features, which rows."""

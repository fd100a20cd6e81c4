"""Raw rows in, versioned tables out: sources, contracts, quarantine, exactly-once ingestion."""

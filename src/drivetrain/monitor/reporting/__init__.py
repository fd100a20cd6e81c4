"""Reports of a time: one endpoint's windows, alerts and decisions, as one page and as JSON."""

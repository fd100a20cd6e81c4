"""What acting on answers costs, and how often intervals and sets hold: measured on rows that taught nothing."""

"""What a contract may say beyond single columns, found in deliveries that were good."""

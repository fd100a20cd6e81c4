"""Windows of tables and feature views: read, sampled, kept."""

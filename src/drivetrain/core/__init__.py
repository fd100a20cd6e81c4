"""Ground floor: records, protocols, errors, settings, time and hashing. No I/O but reading settings."""

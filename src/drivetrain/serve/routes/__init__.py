"""Transports side by side over one dataplane: the native protocol, V2, V1, `/invocations`, and operations."""

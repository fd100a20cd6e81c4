"""Transports side by side over one dataplane: the native protocol, Open Inference Protocol V2, and operations."""

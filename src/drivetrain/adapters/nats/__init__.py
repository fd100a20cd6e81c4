"""Streams of NATS JetStream."""

from drivetrain.adapters.nats.jetstream import JetStream

stream = JetStream

__all__ = ["stream"]

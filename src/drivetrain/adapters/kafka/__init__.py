"""Topics of Kafka, and of whatever else speaks its protocol."""

from drivetrain.adapters.kafka.topic import Topic

stream = Topic

__all__ = ["stream"]

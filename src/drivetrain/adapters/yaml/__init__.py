"""Documents in YAML, by PyYAML."""

from drivetrain.adapters.yaml.document import document

__all__ = ["document"]

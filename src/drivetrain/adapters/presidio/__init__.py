"""Names of people and places in free text, by Presidio."""

from drivetrain.adapters.presidio.entities import entities

__all__ = ["entities"]

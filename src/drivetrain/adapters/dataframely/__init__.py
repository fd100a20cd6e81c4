"""dataframely's schemas, read as what a contract can say."""

from drivetrain.adapters.dataframely.schema import describe

__all__ = ["describe"]

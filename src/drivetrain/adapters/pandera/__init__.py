"""pandera's Polars schemas, read as what a contract can say."""

from drivetrain.adapters.pandera.schema import describe

__all__ = ["describe"]

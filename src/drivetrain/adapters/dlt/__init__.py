"""Resources of dlt, read without a pipeline: the rows and their cursor go where ours go."""

from drivetrain.adapters.dlt.resource import rows_of

resource = rows_of

__all__ = ["resource"]

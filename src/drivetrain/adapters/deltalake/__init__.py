"""deltalake: the logs that tables are kept in, written and opened."""

from drivetrain.adapters.deltalake.logs import DeltaLogs

logs = DeltaLogs()

__all__ = ["logs"]

"""What a notebook shows of long work, by IPython."""

from drivetrain.adapters.ipython.cell import CellProgress

progress = CellProgress

__all__ = ["CellProgress", "progress"]

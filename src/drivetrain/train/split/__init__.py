"""Which rows teach, which choose, which judge: one record of the answer, and the ways to cut."""

from drivetrain.train.split.cut import Fold, Split
from drivetrain.train.split.splitter import Splitter
from drivetrain.train.split.time_split import TimeSplit

__all__ = ["Fold", "Split", "Splitter", "TimeSplit"]

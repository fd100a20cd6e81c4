"""fairlearn: classifiers that err alike for groups, by exponentiated gradient."""

from drivetrain.adapters.fairlearn.gradient import reduction

__all__ = ["reduction"]

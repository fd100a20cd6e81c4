"""Cleaning and merging as declared steps, each of which says what it changed."""

from drivetrain.data.cleaning import steps

__all__ = ["steps"]

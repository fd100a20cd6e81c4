"""OpenDP: noise for differentially private figures, and the proof of what it guarantees."""

from drivetrain.adapters.opendp.noise import noisy as noise

__all__ = ["noise"]

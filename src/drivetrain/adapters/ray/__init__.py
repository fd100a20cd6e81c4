"""Ray Serve: an endpoint as a deployment."""

from drivetrain.adapters.ray.deployment import deployment

__all__ = ["deployment"]

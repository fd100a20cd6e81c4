from drivetrain.testing.postgres import postgres

__all__ = ["postgres"]

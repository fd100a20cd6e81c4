from drivetrain.testing.redis import redis_server

__all__ = ["redis_server"]

"""Redis and Valkey: online rows that several machines share."""

from drivetrain.adapters.redis.online import RedisOnline

online = RedisOnline

__all__ = ["online"]

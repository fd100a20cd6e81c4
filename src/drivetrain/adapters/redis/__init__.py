"""Redis and Valkey: online rows that several machines share, and streams."""

from drivetrain.adapters.redis.online import RedisOnline
from drivetrain.adapters.redis.stream import RedisStream

online = RedisOnline
stream = RedisStream

__all__ = ["online", "stream"]

"""Where a server is: its URL, and what messages may call it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import RedisError
from redis.retry import Retry

from drivetrain.core.errors import SettingsError

_ALIASES = {"valkey": "redis", "valkeys": "rediss"}
_EXPECTED = "redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// for TLS, or unix://PATH[?db=DB]"
_CONNECT_SECONDS = 1.0


@dataclass(frozen=True)
class Address:
    """A server's URL, checked when made.

    Args:
        url: ``redis://``, ``rediss://`` (TLS) or ``unix://``; ``valkey://`` and ``valkeys://`` are the first two. What
            redis-py takes as a connection's option may follow as ``?name=value``, for example ``ssl_ca_certs``.

    Raises:
        SettingsError: It is no such URL.

    Example:
        >>> Address("valkey://drivetrain:secret@rows.example:6379/2").name
        'valkey://rows.example:6379/2'
    """

    url: str = field(repr=False)

    def __post_init__(self) -> None:
        try:
            self.pool(1.0).make_connection()
            path = urlsplit(self.url).path.strip("/")
        except (RedisError, TypeError, ValueError):
            path = None  # the reason may quote the password
        if path is None or not (self.url.startswith("unix:") or path.isdecimal() or not path):
            raise SettingsError("the online store's URL can't be read", found=repr(self.name), expected=_EXPECTED)

    @property
    def name(self) -> str:
        """The URL without user, password and options, whatever is wrong with it."""
        scheme, _, rest = self.url.partition(":")
        return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0].removeprefix('//')}"

    def pool(self, seconds: float) -> ConnectionPool:
        """Connections to it, made as they are needed.

        Args:
            seconds: How long one of them waits for the server to take or say something.
        """
        scheme, colon, rest = self.url.partition(":")
        return ConnectionPool.from_url(
            f"{_ALIASES.get(scheme, scheme)}{colon}{rest}",
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=seconds,
            retry=Retry(NoBackoff(), 0),  # who waits for a row must hear at once that there is none to be had
            protocol=2,
        )

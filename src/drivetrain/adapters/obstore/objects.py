"""The objects of one bucket: what is there, and its bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import obstore
from obstore import exceptions
from obstore.store import from_url

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import ProjectError, SourceAway, SourceError

T = TypeVar("T")

_RETRY: Any = {"max_retries": 1, "retry_timeout": timedelta(seconds=20)}  # whoever reads tries again, and tells
_CLIENT: Any = {"timeout": "120s", "connect_timeout": "10s"}
_PIECE = 8 << 20


class Bucket:
    """A bucket, as the environment says how to reach it (``AWS_…``, ``GOOGLE_…``, ``AZURE_…``).

    Args:
        url: ``s3://bucket``, ``gs://bucket`` or ``az://container``.
        options: Settings of obstore's store, such as ``{"region": "eu-central-1"}``; they go before the environment.

    Raises:
        ProjectError: There is no such kind of store, or no such setting.
    """

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        self._url = url
        try:
            settings: Any = dict(options) or None
            # Options for the client hide this one of the environment.
            plain = "true" in (os.environ.get("AWS_ALLOW_HTTP", "").lower(), options.get("aws_allow_http"))
            client: Any = {**_CLIENT, "allow_http": plain}
            self._store = from_url(url, config=settings, client_options=client, retry_config=_RETRY)
        except (exceptions.BaseError, ValueError, TypeError) as error:
            raise ProjectError(f"{url} can't be opened: {_reason(error)}", do="Check its URL and options") from None

    def under(self, prefix: str) -> Iterator[tuple[str, int, int, str]]:
        """``(name, bytes, moment of the last change, tag of the content)`` of every object under a prefix.

        Raises:
            SourceAway: The store does not answer.
            SourceError: It refuses.
        """
        for page in self._asked(lambda: list(obstore.list(self._store, prefix or None))):
            for one in page:
                yield one["path"], one["size"], micros_of(one["last_modified"]), one["e_tag"] or one["version"] or ""

    def fetch(self, name: str, path: Path) -> str:
        """Writes an object's bytes to a file, piece by piece; the tag of what was fetched. Raises as :meth:`under`."""

        def fetched() -> str:
            answer = obstore.get(self._store, name)
            with path.open("wb") as file:
                for piece in answer.stream(min_chunk_size=_PIECE):
                    file.write(piece)
            return answer.meta["e_tag"] or answer.meta["version"] or ""

        return self._asked(fetched)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except exceptions.NotFoundError:
            raise SourceError(f"{self._url} is not there", do="Check the bucket and the name") from None
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise SourceError(
                f"{self._url} refuses this user: {_reason(error)}", do="Check the credentials in the environment"
            ) from None
        except exceptions.GenericError as error:
            raise SourceAway(f"{self._url} can't be reached: {_reason(error)}", do="Check the address") from None
        except exceptions.BaseError as error:
            raise SourceError(f"{self._url} can't be read: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    """What the library says in one line; behind it stand the debugging forms of its types."""
    return str(error).partition("\n")[0].strip().rstrip(".")

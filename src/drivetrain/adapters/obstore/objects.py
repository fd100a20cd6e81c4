"""The objects of one bucket: what is there, and its bytes."""

from __future__ import annotations

import os
import re
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
_ANSWER = re.compile(r"status code: (\d{3}) ?([A-Za-z ]*)")
_CODE = re.compile(r"<Code>([A-Za-z]+)</Code>")
_PLAIN = ("aws_allow_http", "azure_allow_http", "google_allow_http", "allow_http")


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
            plain = any("true" in (os.environ.get(name.upper(), "").lower(), options.get(name)) for name in _PLAIN)
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
                yield one["path"], one["size"], micros_of(one["last_modified"]), _tag(one)

    def fetch(self, name: str, path: Path) -> str:
        """Writes an object's bytes to a file, piece by piece; the tag of what was fetched. Raises as :meth:`under`."""

        def fetched() -> str:
            answer = obstore.get(self._store, name)
            with path.open("wb") as file:
                for piece in answer.stream(min_chunk_size=_PIECE):
                    file.write(piece)
            return _tag(answer.meta)

        return self._asked(fetched)

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except exceptions.BaseError as error:
            raise self._told(error) from None

    def _told(self, error: exceptions.BaseError) -> SourceError:
        # Of a listing that is answered with 404 or 403 the library only says that something is wrong.
        answer = _ANSWER.search(str(error))
        status = answer[1] if answer else ""
        if isinstance(error, exceptions.NotFoundError) or status == "404":
            return SourceError(f"{self._url} is not there", do="Check the bucket and the name")
        denied = isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError)
        if denied or status in ("401", "403"):
            return SourceError(
                f"{self._url} refuses this user: {_reason(error)}", do="Check the credentials in the environment"
            )
        if isinstance(error, exceptions.GenericError):
            return SourceAway(f"{self._url} can't be reached: {_reason(error)}", do="Check the address")
        return SourceError(f"{self._url} can't be read: {_reason(error)}")


def _tag(meta: obstore.ObjectMeta) -> str:
    """What changes with an object's content. Azure's quotes it in the object's own answer and not in a listing."""
    return (meta["e_tag"] or meta["version"] or "").strip('"')


def _reason(error: BaseException) -> str:
    """What the store answered, or what the library says in one line; behind it stand forms for debugging."""
    answer, code = _ANSWER.search(str(error)), _CODE.search(str(error))
    if answer:
        return f"{answer[1]} {answer[2].strip()}{f' ({code[1]})' if code else ''}"
    return str(error).partition("\n")[0].strip().rstrip(".")

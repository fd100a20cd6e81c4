"""Where files lie: the local disk, or a bucket that is fetched from, one file at a time."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any, Protocol, TypeAlias

from drivetrain.core import plugins
from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.core.hashing import digest_bytes

Stamp: TypeAlias = tuple[int, int]
"""Size in bytes, and what tells cheaply that the content may have changed."""

_REMOTE = re.compile(r"(s3|s3a|gs|az|abfs|abfss)://([^/]+)/(.*)")
_WILD = frozenset("*?[")


class Place(Protocol):
    """Files by name."""

    def listing(self, folder: Path) -> dict[str, Stamp]:
        """Every file that matches, by name, in order of their names.

        Raises:
            SourceError: The place can't be read, or a file that was named is not there.
        """
        ...

    def local(self, folder: Path, name: str, stamp: Stamp) -> Any:  # noqa: ANN401 - a context manager of Path
        """A local path with the file's bytes, for as long as the context lasts. Raises as :meth:`listing`."""
        ...


@dataclass(frozen=True)
class Disk:
    """Files of the local disk that match a path or glob, relative to the project folder."""

    pattern: str

    def listing(self, folder: Path) -> dict[str, Stamp]:
        """As of :class:`Place`; the stamp is the time of modification in nanoseconds."""
        # `folder / pattern` keeps an absolute pattern absolute.
        pattern = self.pattern
        if not _WILD & set(pattern):
            path = folder / pattern
            if not path.is_file():
                raise SourceError(f"{pattern} is not there", found=f"nothing at {path}", do="Put the file there")
            paths = [path]
        else:
            base = Path(pattern).anchor
            paths = sorted(Path(base or folder).glob(pattern.removeprefix(base)))
        listing = {}
        within = "" if folder == Path() else f"{folder.as_posix().rstrip('/')}/"
        for path in paths:
            try:
                stat = path.stat()
            except FileNotFoundError:  # a link that leads nowhere, or gone since
                continue
            if S_ISREG(stat.st_mode):
                listing[path.as_posix().removeprefix(within)] = (stat.st_size, stat.st_mtime_ns)
        return listing

    @contextmanager
    def local(self, folder: Path, name: str, stamp: Stamp) -> Iterator[Path]:  # noqa: ARG002 - read where it is
        """As of :class:`Place`."""
        yield folder / name


@dataclass(frozen=True)
class Objects:
    """Objects of a bucket that match a URL with wildcards, such as ``s3://bucket/raw/*.csv``.

    An object is fetched into a temporary file and read from there: memory stays bounded, and what is parsed is what was
    there at one moment.
    """

    pattern: str
    options: Mapping[str, str] = field(default_factory=dict)

    def listing(self, folder: Path) -> dict[str, Stamp]:  # noqa: ARG002 - a bucket is nowhere near the project
        """As of :class:`Place`; the stamp is made from the store's tag of the content, or the time of the change."""
        root, pattern = self._parts()
        fixed = pattern[: next((at for at, letter in enumerate(pattern) if letter in _WILD), len(pattern))]
        wanted = _expression(pattern)
        found = {}
        for name, size, at, tag in self._bucket(root).under(fixed.rpartition("/")[0]):
            if wanted.fullmatch(name):
                found[f"{root}/{name}"] = (size, _stamp(tag) if tag else at)
        if not found and fixed == pattern:
            raise SourceError(f"{self.pattern} is not there", do="Put the object there, or check the name")
        return dict(sorted(found.items()))

    @contextmanager
    def local(self, folder: Path, name: str, stamp: Stamp) -> Iterator[Path]:  # noqa: ARG002 - as above
        """As of :class:`Place`.

        Raises:
            SourceAway: It was changed between the listing and now.
        """
        root, _ = self._parts()
        with tempfile.TemporaryDirectory(prefix="drivetrain-") as scratch:
            path = Path(scratch) / "object"
            tag = self._bucket(root).fetch(name.removeprefix(f"{root}/"), path)
            if path.stat().st_size != stamp[0] or (tag and _stamp(tag) != stamp[1]):
                raise SourceAway(f"{name} was changed while it was fetched")
            yield path

    def _bucket(self, root: str) -> Any:  # noqa: ANN401 - adapters/obstore
        return plugins.load("bucket", "obstore")(root, self.options)

    def _parts(self) -> tuple[str, str]:
        found = _REMOTE.fullmatch(self.pattern)
        if found is None:
            raise SourceError(f"{self.pattern} names no object", expected="such as s3://bucket/raw/*.csv")
        return f"{found[1]}://{found[2]}", found[3]


def place_of(pattern: str, options: Mapping[str, str]) -> Place:
    """Where a pattern points."""
    return Objects(pattern, dict(options)) if "://" in pattern else Disk(pattern)


def _stamp(tag: str) -> int:
    return int(digest_bytes(tag.encode())[:15], 16)


def _expression(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression over whole names: ``*`` and ``?`` stay within a folder, ``**/`` goes any deep.

    Example:
        >>> bool(_expression("raw/**/*.csv").fullmatch("raw/2013/07/1.csv"))
        True
    """
    made, at = "", 0
    while at < len(pattern):
        rest = pattern[at:]
        closing = rest.find("]", 2) if rest.startswith("[") else -1
        if rest.startswith("**/"):
            made, at = made + "(?:.*/)?", at + 3
        elif closing > 0:
            inside = rest[1:closing].replace("\\", r"\\")
            made, at = made + f"[{'^' + inside[1:] if inside.startswith('!') else inside}]", at + closing + 1
        else:
            made += {"*": "[^/]*", "?": "[^/]"}.get(rest[0], re.escape(rest[0]))
            at += 1
    return re.compile(made)

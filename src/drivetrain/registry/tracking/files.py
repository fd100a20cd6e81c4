"""Files that runs and models logged, each a blob under a path."""

from __future__ import annotations

import re
from typing import IO

import msgspec
from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.hashing import Digest
from drivetrain.core.records import LoggedModel, Run, TrackedFile
from drivetrain.registry.tracking.place import Place, change

_ROOT = re.compile(r"([0-9]{1,20})/(models/)?([A-Za-z0-9_-]{1,64})/artifacts(?:/(.*))?", re.DOTALL)
_LONGEST = 1_000


class Entry(msgspec.Struct, frozen=True):
    """A line of a listing."""

    path: str
    """Last part of its path."""
    is_dir: bool
    size: int = 0


def parted(path: str) -> tuple[str, str]:
    """A path as clients write it → whose files it is among, and the path there (empty for all of them).

    Raises:
        UsageError: It is no such path.

    Example:
        >>> parted("0/0192/artifacts/model/MLmodel")
        ('0/0192/artifacts', 'model/MLmodel')
    """
    found = _ROOT.fullmatch(path.strip("/"))
    if found is None or len(path) > _LONGEST:
        raise UsageError(
            "not a path of files that are kept here",
            found=repr(path[:120]),
            expected="EXPERIMENT/RUN/artifacts/… or EXPERIMENT/models/MODEL/artifacts/…",
        )
    experiment, models, owner, rest = found.groups()
    return f"{experiment}/{models or ''}{owner}/artifacts", checked(rest or "", empty=True)


def checked(path: str, *, empty: bool = False) -> str:
    """A path beneath a root, if it is one.

    Raises:
        UsageError: It goes upward, or has a part that is none.
    """
    parts = path.strip("/").split("/")
    if not (empty and parts == [""]) and any(
        part in {"", ".", ".."} or "\\" in part or not part.isprintable() for part in parts
    ):
        raise UsageError("not a path of a file", found=repr(path[:120]), expected="names parted by slashes")
    return "/".join(parts)


def keep(place: Place, root: str, path: str, data: IO[bytes]) -> TrackedFile:
    """Keeps a file; one of that path is replaced.

    Raises:
        UnknownName: Nobody of that root is known.
        UsageError: It is no path.
    """
    check_owner(place, root)
    name = checked(path)
    digest = place.blobs.put_file(data)
    kept = TrackedFile(at=clock.now(), root=root, path=name, digest=digest, size=data.tell())
    place.catalog.commit(kept)
    return kept


def find(place: Place, root: str, path: str) -> TrackedFile:
    """A file.

    Raises:
        UnknownName: There is none.
    """
    found = place.catalog.get(TrackedFile, f"{root}/{path}")
    if found is None or found.deleted:
        raise UnknownName(f"no file {path!r} is kept at {root}")
    return found


def read(place: Place, root: str, path: str) -> bytes:
    """A file's bytes; raises as :func:`find`, and where they are damaged."""
    return place.blobs.get(find(place, root, path).digest)


def every(place: Place, root: str) -> list[TrackedFile]:
    """Every file of a root, by path."""
    found = place.catalog.find(TrackedFile, root)
    return sorted((one for one in found if not one.deleted), key=lambda one: one.path)


def listing(place: Place, root: str, path: str = "") -> list[Entry]:
    """What a folder holds, files and folders by name; of a file, nothing."""
    start = f"{path}/" if path else ""
    found: dict[str, Entry] = {}
    for one in every(place, root):
        if one.path.startswith(start):
            name, slash, _ = one.path.removeprefix(start).partition("/")
            found[name] = Entry(name, is_dir=bool(slash), size=0 if slash else one.size)
    return [found[name] for name in sorted(found)]


def delete(place: Place, root: str, path: str) -> int:
    """Takes a file, or all of a folder, out of the listing; how many there were. Their blobs stay."""
    gone: list[Digest] = []
    for one in every(place, root):
        if one.path == path or not path or one.path.startswith(f"{path}/"):
            change(place, TrackedFile, one.key, lambda file: replace(file, deleted=True))
            gone.append(one.digest)
    if not gone:
        raise UnknownName(f"no file {path!r} is kept at {root}")
    return len(gone)


def check_owner(place: Place, root: str) -> None:
    """Makes sure that a root is a run's or a logged model's.

    Raises:
        UnknownName: Nobody of that root is known.
    """
    experiment, _, rest = root.partition("/")
    if rest.startswith("models/"):
        model = place.catalog.get(LoggedModel, rest.split("/")[1])
        known = None if model is None else model.experiment
    else:
        run = place.catalog.get(Run, rest.split("/")[0])
        known = None if run is None or run.tracked is None else run.tracked.experiment
    if known != experiment:
        raise UnknownName(f"nobody keeps files at {root}", expected="a run, or a logged model, and its experiment")

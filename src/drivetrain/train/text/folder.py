"""A pretrained language model in a folder, as its makers publish it: which files there are, and which model it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

from drivetrain.core.errors import UsageError

_END = 65_536
"""Bytes at either end of a file that tell it from another."""


def file_of(folder: str, *names: str) -> Path:
    """The first of the files that is there.

    Raises:
        UsageError: None is, or the folder is not.
    """
    place = Path(folder).expanduser()
    found = next((place / name for name in names if (place / name).is_file()), None)
    if found is None:
        raise UsageError(
            f"{folder} holds no pretrained model that can be read",
            found="no such folder" if not place.is_dir() else ", ".join(sorted(each.name for each in place.iterdir())),
            expected=" or ".join(names),
            do="Name the folder that its makers publish, with these files in it",
        )
    return found


def told_apart(folder: str, *names: str) -> str:
    """What tells a model from others: lengths of the files that are there, and what stands at their ends.

    Weights are not read whole for it. It is the same wherever the folder is, and says so where there is nothing.
    """
    made = hashlib.sha256()
    there = [path for name in names if (path := Path(folder).expanduser() / name).is_file()]
    for path in there:
        size = path.stat().st_size
        made.update(f"{path.name}:{size};".encode())
        with path.open("rb") as file:
            made.update(file.read(_END))
            file.seek(max(0, size - _END))
            made.update(file.read())
    return made.hexdigest()[:16] if there else "missing"

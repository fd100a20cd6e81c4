"""Paths that name a version, as V2 and TensorFlow Serving have them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from drivetrain.core.errors import NotFound
from drivetrain.serve.dataplane import Dataplane

_PATH = re.compile(r"(/v[12]/models/)([^/]+)/versions/([^/:]+)(.*)")
_ANSWERS = {"/infer", ":predict"}
_MODEL = re.compile(r"(/v[12]/models/[^/:]+)(.*)")


def unversioned(path: str, planes: Mapping[str, Dataplane]) -> str:
    """The path without ``/versions/{v}``, if that is the version that answers; any other path as it is.

    Raises:
        NotFound: Another version answers, or an experiment chooses which one does.
    """
    found = _PATH.fullmatch(path)
    if found is None or found[2] not in planes:
        return path
    base, name, asked, action = found.groups()
    serving = planes[name].serving
    if serving.router is not None and action in _ANSWERS:
        raise NotFound(
            f"an experiment chooses the version of model {name}", found=asked[:200], expected="a path without a version"
        )
    champion = serving.champion
    answers = "none" if champion is None else str(champion.record.version)
    if asked != answers:
        raise NotFound(f"model {name} is not served in that version", found=asked[:200], expected=answers)
    return f"{base}{name}{action}"


def versioned(path: str) -> str | None:
    """The same path with a place for a version, if it may name one.

    >>> versioned("/v2/models/late/infer")
    '/v2/models/late/versions/{version}/infer'
    """
    found = _MODEL.fullmatch(path)
    return None if found is None else f"{found[1]}/versions/{{version}}{found[2]}"

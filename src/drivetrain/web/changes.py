"""The changes of models that a person may ask for here: promote a version, and go back."""

from __future__ import annotations

import msgspec

from drivetrain.core.errors import RequestError
from drivetrain.web.desk import Desk

ACTOR = "dashboard"
_SHORTEST, _LONGEST = 8, 500


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for: a version to promote, or none to go back to the previous champion."""

    because: str
    version: int | None = None
    actor: str = ACTOR


def change_of(because: str, version: str | None) -> Change:
    """A change as a form states it.

    Raises:
        RequestError: The version is no number.
    """
    if version is None:
        return Change(because)
    if not version.isascii() or not version.isdigit():
        raise RequestError("not a version", field="version", found=repr(version), expected="a number, such as 2")
    return Change(because, int(version))


def promote(desk: Desk, model: str, change: Change) -> None:
    """Makes a version champion; raises what :meth:`Desk.promote` raises."""
    _check(desk, model, change)
    if change.version is None:
        raise RequestError("a version is missing", field="version", expected="the number of the version to promote")
    desk.promote(model, change.version, because=change.because.strip(), actor=change.actor)


def rollback(desk: Desk, model: str, change: Change) -> None:
    """Makes the previous champion champion again; raises what :meth:`Desk.rollback` raises."""
    _check(desk, model, change)
    desk.rollback(model, because=change.because.strip(), actor=change.actor)


def _check(desk: Desk, model: str, change: Change) -> None:
    if model not in desk.models:
        raise RequestError(f"no model is called {model!r}", field="model", expected=" or ".join(desk.models) or None)
    check_reason(change.because)


def check_reason(because: str) -> None:
    """Asks for a reason that says something.

    Raises:
        RequestError: It is missing, too short or too long.
    """
    if not _SHORTEST <= len(because.strip()) <= _LONGEST:
        raise RequestError(
            "a reason is missing" if not because.strip() else "the reason is too short or too long",
            field="because",
            expected=f"{_SHORTEST} to {_LONGEST} characters that somebody will understand in a year",
        )

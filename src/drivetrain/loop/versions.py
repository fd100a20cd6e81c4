"""Versions by the names that people call them: ``late@3``, ``v3``, ``3``."""

from __future__ import annotations

from drivetrain.core.errors import UsageError
from drivetrain.core.records import ModelVersion
from drivetrain.loop.definitions import Definitions
from drivetrain.registry.aliases import find_version


def version_named(project: Definitions, name: str | int, model: str | None = None) -> ModelVersion:
    """A version by its name.

    Args:
        project: Whose.
        name: ``late@3``; ``3`` or ``v3`` where the model is told, or there is one.
        model: Which model, where the name does not say.

    Raises:
        UnknownName: There is no such model or version.
        UsageError: It is no name of a version.
    """
    text = str(name).strip().removeprefix("version:")
    of, at, number = text.rpartition("@")
    digits = number.removeprefix("v")
    if not digits.isascii() or not digits.isdecimal() or (at and not of):
        raise UsageError(
            "not the name of a version", found=repr(str(name)), expected="late@3, or 3 where there is one model"
        )
    if of and model not in {None, of}:
        raise UsageError("a version's name and --model are at odds", found=f"{text} and {model}")
    known = project.find_model(of or model)
    return find_version(project.store, known.name, int(digits))

"""What features describe."""

from __future__ import annotations

from dataclasses import dataclass

from drivetrain.core.errors import ProjectError
from drivetrain.core.notebook import shown


@dataclass(frozen=True)
class Entity:
    """A thing features are kept for: a plane, a card, a route.

    Attributes:
        name: Its name in the project.
        keys: Columns that together tell one from another, as requests and label rows carry them.
        description: For people.

    Raises:
        ProjectError: No key, or one twice.

    Example:
        >>> Entity("route", keys=["origin", "dest"]).keys
        ('origin', 'dest')
    """

    name: str
    keys: tuple[str, ...]
    description: str = ""

    _repr_html_ = shown

    def __init__(self, name: str, keys: str | list[str] | tuple[str, ...], description: str = "") -> None:
        columns = (keys,) if isinstance(keys, str) else tuple(keys)
        if not columns or len(set(columns)) != len(columns):
            raise ProjectError(
                f"entity {name!r} needs key columns, each once",
                found=list(columns),
                do="Name the columns that tell one from another",
            )
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "keys", columns)
        object.__setattr__(self, "description", description)

"""What every catalog record shares, and the links between them."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.notebook import shown


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Something the catalog keeps.

    A record is addressed by its kind and its key; committing one with the key of another replaces it. ``subject`` is
    what it is about (a table, a model, an endpoint) and ``at`` when it came about: the two things one searches by.
    """

    kind: ClassVar[str]
    """Name of the record's type in the catalog; never changes."""

    at: Micros = 0

    _repr_html_ = shown

    @property
    def key(self) -> str:
        """Unique among records of this kind."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """What the record is about."""
        raise NotImplementedError

    @property
    def ref(self) -> str:
        """``kind:key``: the record's name in links and on the command line."""
        return f"{self.kind}:{self.key}"


class Link(msgspec.Struct, frozen=True):
    """An edge of the lineage: ``source`` was used to make ``target``, in the role named.

    Both ends are refs (``kind:key``), for example ``table:flights@3`` → ``run:0192…`` as ``input``.
    """

    source: str
    target: str
    role: str

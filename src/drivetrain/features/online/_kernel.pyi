from collections.abc import Sequence
from typing import TypeAlias

from drivetrain.features.exact import Floats, Places

View: TypeAlias = tuple[int, int, int, int, tuple[tuple[int, int], ...], tuple[tuple[int, int, bool], ...]]

class Reader:
    """Heads of several views, read by compiled code; see ``heads.py``, which makes it."""

    def __new__(
        cls, layout: int, inline: int, second: float, views: tuple[View, ...], unknown: tuple[float, ...], /
    ) -> Reader: ...
    def read(
        self, rows: Sequence[bytes | memoryview | None], at: int, /
    ) -> tuple[list[float], list[float], list[int]]: ...
    def fill(
        self, rows: Sequence[bytes | memoryview | None], ats: Places, features: Floats, ages: Floats, /
    ) -> list[tuple[int, int]]: ...

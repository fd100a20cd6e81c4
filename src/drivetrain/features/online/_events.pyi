from typing import TypeAlias

Asks: TypeAlias = tuple[int, int, int, int, int]

class Scanner:
    """Events of entities of one view, looked at by compiled code; see ``events.py``, which makes it."""

    def __new__(cls, second: float, columns: int, ttl: int, asked: tuple[Asks, ...], /) -> Scanner: ...
    def read(
        self, history: bytes | memoryview, first: int, events: int, at: int, trimmed: tuple[int, int, int], /
    ) -> tuple[list[float], float] | None: ...

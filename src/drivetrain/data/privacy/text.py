"""Bytes that are looked at, and what stands beside a place in them."""

from __future__ import annotations

import re

_SAYS: dict[str, re.Pattern[bytes]] = {
    kind: re.compile(words, re.IGNORECASE)
    for kind, words in {
        "phone": rb"\b(?:tel|phone|telephone|mobile|cell|fax|call|voice|dial|telefon|t\xe9l|t\xc3\xa9l|handy|tfno|fon"
        rb"|ph|toll|contact|hotline)\b",
        "US social security number": rb"\b(?:ssn|social security|soc\.? sec)",
        "German tax id": rb"steuer|idnr|\btin\b|tax id|identifikationsnummer",
        "Dutch citizen service number": rb"\bbsn\b|burgerservice|sofi",
        "card": rb"\b(?:card|visa|mastercard|amex|credit|debit|karte|tarjeta)\b",
        "version": rb"(?<![A-Za-z0-9_])(?:version|release|build|ver\.|ver|v)\s*\Z",
        "account": rb"\b(?:order|invoice|ticket|bug|case|isbn|part|item|serial|tracking|ref)\b[^\n]{0,12}\Z",
    }.items()
}
_NEAR = 40


class Text:
    """Bytes, and what is said in them beside a place.

    Args:
        data: UTF-8.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data

    def says(self, what: str, start: int, end: int) -> bool:
        """Whether a word near a place says what it is; none beyond its line."""
        before = self.data[max(0, start - _NEAR) : start].rpartition(b"\n")[2]
        after = self.data[end : end + 16].partition(b"\n")[0]
        return _SAYS[what].search(before + b" | " + after) is not None

    def follows(self, what: str, start: int) -> bool:
        """Whether a word right before a place says what it is."""
        return _SAYS[what].search(self.data[max(0, start - _NEAR) : start].rpartition(b"\n")[2]) is not None

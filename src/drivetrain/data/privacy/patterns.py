"""What personal data looks like, and what makes it likely: patterns, checksums, and words beside it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from drivetrain.data.privacy import checksums
from drivetrain.data.privacy.span import Span

_LOCAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-."
_IDS = {b"message-id", b"in-reply-to", b"references", b"content-id", b"resent-message-id"}
_AFTER_AT = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![A-Za-z0-9\-])")
_URL = re.compile(rb"[a-z][a-z0-9+.\-]{1,15}://[^\s/@:<>\"']{1,64}(?::[^\s/@<>\"']{0,64})?\Z", re.IGNORECASE)
_HOST = re.compile(rb"[A-Za-z0-9\-.]+")
_CARD = re.compile(rb"(?<![\d.\-])\d(?:[ \-]?\d){12,18}(?![\d\-])")
_IBAN = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(rb"(?<![\d\-])(\d{3})([ \-]?)(\d{2})\2(\d{4})(?![\d\-])")
_NINO = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z0-9])")
_DNI = re.compile(rb"(?<![A-Za-z0-9])(?:\d{8}|[XYZ]-?\d{7})-?[A-Z](?![A-Za-z0-9])")
_FISCAL = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z](?![A-Za-z0-9])")
_INSEE = re.compile(rb"(?<![A-Za-z0-9])[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![A-Za-z0-9])")
_ELEVEN = re.compile(rb"(?<![\d\-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![\d\-])")
_NINE = re.compile(rb"(?<![\d\-.])\d{9}(?![\d\-.])|(?<![\d\-.])\d{4}\.\d{2}\.\d{3}(?![\d\-.])")
_PHONE = re.compile(
    rb"(?<![\w+.\-/])(?:"
    rb"(?P<abroad>(?:\+|00)[1-9]\d{0,2}[ .\-]?(?:\(0?\d{1,4}\)[ .\-]?)?\d{1,4}(?:[ .\-/]?\d{2,4}){1,4})"
    rb"|(?P<american>(?:1[ .\-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}(?P<s>[ .\-]))[2-9]\d{2}[ .\-]\d{4})"
    rb"|(?P<national>\(?0\d{1,4}\)?[ .\-/]?\d{2,4}(?:[ .\-/]?\d{2,4}){1,3})"
    rb"|(?P<local>[2-9]\d{2}[ .\-]\d{4})"
    rb")(?![\d]|[.\-/]\d)"
)
_IPV4 = re.compile(rb"(?<![\d.\w\-])(?:\d{1,3}\.){3}\d{1,3}(?![\d\-]|\.\d|[A-Za-z])")
_COLONED = re.compile(rb"(?<![\w:.\-])[0-9A-Fa-f:\-]{5,39}(?![\w:\-])")
_MAC = re.compile(rb"[0-9A-Fa-f]{2}([:\-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}")
_ENGLISH = re.compile(
    rb"\d{1,5}[A-Za-z]?,? (?:[NSEW]\.? )?(?:[A-Z][A-Za-z'\-]+\.? |\d{1,3}(?:st|nd|rd|th) ){1,4}"
    rb"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Terrace|Place|Pl|Highway|Hwy"
    rb"|Parkway|Pkwy|Way|Close|Crescent)\b\.?(?:,? (?:Suite|Ste|Apt|Floor|Fl|Unit|#)\.? ?\w{1,6})?"
)
_FRENCH = re.compile(
    rb"\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|impasse) (?:[\w'\-]+ ){0,4}[\w'\-]+"
)
_GERMAN = re.compile(
    rb"[A-Z\xc3][\w\xc3\x84\x96\x9c\xa4\xb6\xbc\x9f\-]*(?:stra\xc3\x9fe|strasse|str\.|weg|gasse|platz|allee) "
    rb"\d{1,4}(?: ?[a-z]\b)?\Z",
    re.IGNORECASE,
)

_PIECE = re.compile(rb"[^:]+")
_HOUSE = re.compile(rb"\d{1,4}(?: ?[a-z]\b)?")
_CAPITAL = re.compile(rb"[A-Z] ?\d|\d[ \-]?[A-Z](?![a-z])")
_Check: TypeAlias = Callable[["Text", bytes, int], Iterator[Span]]

_SAYS: dict[str, re.Pattern[bytes]] = {
    kind: re.compile(words, re.IGNORECASE)
    for kind, words in {
        "phone": rb"\b(?:tel|phone|telephone|mobile|cell|fax|call|voice|dial|telefon|handy|tfno|fon|ph|toll|contact)\b",
        "US social security number": rb"\b(?:ssn|social security|soc\.? sec)",
        "German tax id": rb"steuer|idnr|\btin\b|tax id|identifikationsnummer",
        "Dutch citizen service number": rb"\bbsn\b|burgerservice|sofi",
        "card": rb"\b(?:card|visa|mastercard|amex|credit|debit|karte|tarjeta)\b",
        "version": rb"(?:version|release|build|v|ver\.?)\s*\Z",
        "account": rb"\b(?:order|invoice|ticket|bug|case|isbn|part|item|serial|tracking|ref)\b[^\n]{0,12}\Z",
    }.items()
}
_NEAR = 40


class Text:
    """Bytes that are looked at, and what stands beside a place in them."""

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


def emails(text: Text, at: int) -> Iterator[Span]:
    """The address around an ``@``, or the URL whose user it ends."""
    data = text.data
    before = data[max(0, at - 96) : at]
    scheme = before.rfind(b"://")
    url = _URL.search(before, max(0, scheme - 16)) if scheme >= 0 else None
    if url is not None:
        host = _HOST.match(data, at + 1)
        if host is not None:
            start = at - len(before) + url.start()
            yield Span("url with user", start, host.end(), 0.9, "a user's name stands in the address")
        return
    local = before[len(before.rstrip(_LOCAL)) :].lstrip(b".")
    after = _AFTER_AT.match(data, at + 1)
    if after is None or not 0 < len(local) <= 64 or local.endswith(b".") or b".." in local:
        return
    start = at - len(local)
    digits = len(local) - len(local.translate(None, b"0123456789"))
    score, why = 0.95, "an address"
    if digits and _is_message_id(data, start):
        score, why = 0.2, "the id of a message"
    elif digits > 8 and digits * 2 > len(local):
        score, why = 0.35, "mostly digits"
    yield Span("email", start, after.end(), score, why)


def _is_message_id(data: bytes, start: int) -> bool:
    """Whether an address stands where mail has ids of messages: after such a header, or in one that was folded."""
    if data[start - 1 : start] != b"<":
        return False
    line = data[max(data.rfind(b"\n", 0, start) + 1, start - 200) : start]
    return line[:1] in b" \t" or line.partition(b":")[0].strip().lower() in _IDS


def numbers(text: Text, start: int, end: int, digits: int) -> Iterator[Span]:
    """What a group of so many digits may be: those with a checksum first."""
    data = text.data
    if b":" in (raw := data[start:end]):  # times stand between what are numbers
        for piece in _PIECE.finditer(raw):
            many = len(piece[0]) - len(piece[0].translate(None, b"0123456789"))
            if many >= 6:
                yield from numbers(text, start + piece.start(), start + piece.end(), many)
        return
    capitals = _CAPITAL.search(data, max(0, start - 14), end + 3)
    if capitals is None and digits < 9:  # a telephone's number without its area, if a word says so
        if digits < 7 or not text.says("phone", start, end):
            return
        checks: tuple[_Check, ...] = (_phones,)
    else:
        checks = (
            *((_ibans, _lettered) if capitals else ()),
            *((_cards,) if digits >= 13 else ()),
            *((_numbered,) if digits >= 9 else ()),
            _phones,
        )
    window_start = max(0, start - 14)
    window = data[window_start : end + 14]
    for check in checks:
        yield from check(text, window, window_start)


def _plain(raw: bytes) -> str:
    return raw.translate(None, b" .-").decode("ascii")


def _ibans(_: Text, window: bytes, offset: int) -> Iterator[Span]:
    for match in _IBAN.finditer(window):
        plain = _plain(match[0])
        length = checksums.IBAN_LENGTHS.get(plain[:2], 0)
        if length and len(plain) >= length and checksums.iban(plain[:length]):
            end, seen = match.start(), 0
            while seen < length:
                seen += window[end : end + 1] != b" "
                end += 1
            yield Span("iban", offset + match.start(), offset + end, 0.98, "its check digits are right (ISO 13616)")


def _cards(text: Text, window: bytes, offset: int) -> Iterator[Span]:
    for match in _CARD.finditer(window):
        if _grouped(match[0]) and checksums.card(_plain(match[0])):
            start, end = offset + match.start(), offset + match.end()
            said = text.says("card", start, end)
            why = "its check digit is right (Luhn)" + (", and a word beside it says card" if said else "")
            yield Span("card", start, end, 0.97 if said else 0.75, why)


def _lettered(text: Text, window: bytes, offset: int) -> Iterator[Span]:
    yield from _nationals(text, window, offset, _WITH_LETTERS)


def _numbered(text: Text, window: bytes, offset: int) -> Iterator[Span]:
    yield from _nationals(text, window, offset, _WITHOUT_LETTERS)


_Known: TypeAlias = tuple[str, re.Pattern[bytes], float, float]
_WITH_LETTERS: tuple[_Known, ...] = (
    ("Italian tax code", _FISCAL, 0.97, 0.97),
    ("Spanish DNI or NIE", _DNI, 0.8, 0.8),
    ("UK national insurance number", _NINO, 0.8, 0.8),
    ("French social security number", _INSEE, 0.85, 0.85),
)
_WITHOUT_LETTERS: tuple[_Known, ...] = (
    ("French social security number", _INSEE, 0.85, 0.85),
    ("US social security number", _SSN, 0.1, 0.95),
    ("German tax id", _ELEVEN, 0.3, 0.95),
    ("Dutch citizen service number", _NINE, 0.2, 0.95),
)
"""Name, pattern, score by itself, score where a word beside it says so."""


def _grouped(raw: bytes) -> bool:
    """Whether a card's number is parted as cards are: by fours, as four, six and five, or not at all."""
    sizes = [len(part) for part in re.split(rb"[ \-]", raw)]
    return len(sizes) == 1 or sizes == [4, 6, 5] or (set(sizes[:-1]) == {4} and sizes[-1] <= 4)


def _nationals(text: Text, window: bytes, offset: int, known: tuple[_Known, ...]) -> Iterator[Span]:
    for name, pattern, plain_score, said_score in known:
        for match in pattern.finditer(window):
            if not checksums.NATIONAL[name](_plain(match[0])):
                continue
            start, end = offset + match.start(), offset + match.end()
            said = name in _SAYS and text.says(name, start, end)
            score = said_score if said else plain_score
            if pattern is _SSN and not said and match[2] == b"-":
                score = 0.65
            yield Span(
                "national number", start, end, score, f"a {name}" + (", and a word beside it says so" if said else "")
            )


def _phones(text: Text, window: bytes, offset: int) -> Iterator[Span]:
    for match in _PHONE.finditer(window):
        digits = sum(48 <= byte < 58 for byte in match[0])
        start, end = offset + match.start(), offset + match.end()
        if not 7 <= digits <= 15 or text.follows("account", start):
            continue
        said = text.says("phone", start, end)
        shape = match.lastgroup if match.lastgroup != "s" else "american"
        plain = {"abroad": 0.85, "american": 0.7, "national": 0.3, "local": 0.2}[shape or "local"]
        yield Span(
            "phone",
            start,
            end,
            0.95 if said else plain,
            "a word beside it says phone" if said else f"shape of a number, {shape}",
        )


def addresses_v4(text: Text, dot: int) -> Iterator[Span]:
    """The IPv4 address whose first dot is at a place."""
    window_start = max(0, dot - 4)
    for match in _IPV4.finditer(text.data[window_start : dot + 16]):
        start = window_start + match.start()
        parts = match[0].split(b".")
        if all(int(part) <= 255 and (part == b"0" or part[:1] != b"0") for part in parts):
            version = text.follows("version", start)
            yield Span(
                "ip",
                start,
                window_start + match.end(),
                0.3 if version else 0.8,
                "a version's number" if version else "four bytes with dots",
            )


def coloned(text: Text, colon: int) -> Iterator[Span]:
    """The IPv6 or MAC address around a separator."""
    window_start = max(0, colon - 6)
    for match in _COLONED.finditer(text.data[window_start : colon + 44]):
        raw, start, end = match[0], window_start + match.start(), window_start + match.end()
        if _MAC.fullmatch(raw):
            yield Span("mac", start, end, 0.9, "six bytes in pairs")
        elif raw.count(b":") >= 2 and any(97 <= byte | 32 <= 102 or byte == 58 for byte in raw) and len(raw) > 5:
            try:
                ipaddress.IPv6Address(raw.decode("ascii"))
            except ValueError:
                continue
            yield Span("ip", start, end, 0.9, "an IPv6 address")


def streets(text: Text, house: int) -> Iterator[Span]:
    """The postal address that a house number begins, or ends."""
    data = text.data
    if house and (data[house - 1 : house].isalnum() or data[house - 1 : house] in b".-/:$"):
        return
    line = data[house : house + 80].partition(b"\n")[0]
    match = _ENGLISH.match(line) or _FRENCH.match(line)
    if match is not None:
        yield Span("address", house, house + match.end(), 0.75, "a house number and a street")
        return
    digits = _HOUSE.match(line)
    before = data[max(0, house - 48) : house].rpartition(b"\n")[2]
    german = _GERMAN.search(before + digits[0]) if digits else None
    if german is not None and digits is not None:
        yield Span(
            "address", house - len(before) + german.start(), house + digits.end(), 0.75, "a street and a house number"
        )

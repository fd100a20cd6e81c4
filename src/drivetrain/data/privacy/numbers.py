"""Numbers that name a person or an account: patterns, checksums, and words beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from drivetrain.data.privacy import checksums
from drivetrain.data.privacy.span import Span
from drivetrain.data.privacy.text import Text

_CARD = re.compile(
    rb"(?<![\w.\-])(?:\d{13,19}|\d{4}[ \-]\d{6}[ \-]\d{5}|\d{4}(?:[ \-]\d{4}){2,3}(?:[ \-]\d{1,4})?)(?![\d\-])"
)
_IBAN = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(rb"(?<![\w\-])\d{3}([ \-]?)\d{2}\1\d{4}(?![\w\-])")
_NINO = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z0-9])")
_DNI = re.compile(rb"(?<![A-Za-z0-9])(?:\d{8}|[XYZ]-?\d{7})-?[A-Z](?![A-Za-z0-9])")
_FISCAL = re.compile(rb"(?<![A-Za-z0-9])[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z](?![A-Za-z0-9])")
_INSEE = re.compile(rb"(?<![A-Za-z0-9])[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![A-Za-z0-9])")
_ELEVEN = re.compile(rb"(?<![\w\-])(?:\d{11}|\d{2} \d{3} \d{3} \d{3})(?![\d\-])")
_NINE = re.compile(rb"(?<![\w\-.])(?:\d{9}|\d{4}\.\d{2}\.\d{3})(?![\d\-.])")
_PHONE = re.compile(
    rb"(?<![\w+.\-/])(?:"
    rb"(?P<abroad>\(?(?:\+|00[ \-]?)[1-9]\d{0,2}\)?[ .\-]?(?:\(0?\d{1,4}\)[ .\-]?)?\d{1,4}(?:[ .\-/]?\d{2,4}){1,4})"
    rb"|(?P<american>(?:1[ .\-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}(?P<s>[ .\-]))[2-9]\d{2}[ .\-]\d{4})"
    rb"|(?P<national>\(?0\d{1,4}\)?[ .\-/]?\d{2,4}(?:[ .\-/]?\d{2,4}){1,3})"
    rb"|(?P<local>[2-9]\d{2}[ .\-]\d{4})"
    rb")(?![\d]|[.\-/]\d)"
)
_NATIONAL = re.compile(rb"\(?0[1-9]\d{0,3}\)?(?:[ .\-]\d{2,4}){2,4}|\(?0[1-9]\d{1,3}\)?[ \-]\d{6,8}")
_DATE = re.compile(rb"0\d[ .\-/]\d\d[ .\-/]\d{4}")
_BEFORE = 16
_AFTER = 64
"""How far before a place a telephone's number may begin, and how far it may reach."""
_SHAPES = {"abroad": 0.85, "american": 0.7, "national": 0.3, "local": 0.2}

_Known: TypeAlias = tuple[str, re.Pattern[bytes], tuple[int, ...], float, float]
_WITH_LETTERS: tuple[_Known, ...] = (
    ("Italian tax code", _FISCAL, (6,), 0.97, 0.97),
    ("Spanish DNI or NIE", _DNI, (0, 1, 2), 0.8, 0.8),
    ("UK national insurance number", _NINO, (2, 3), 0.8, 0.8),
    ("French social security number", _INSEE, (0, 8), 0.85, 0.85),
)
_WITHOUT_LETTERS: tuple[_Known, ...] = (
    ("French social security number", _INSEE, (0,), 0.85, 0.85),
    ("US social security number", _SSN, (0,), 0.1, 0.95),
    ("German tax id", _ELEVEN, (0,), 0.3, 0.95),
    ("Dutch citizen service number", _NINE, (0,), 0.2, 0.95),
)
"""Name, pattern, how far before its first digits it begins, score by itself, score where a word beside it says so."""


def lettered(text: Text, place: int) -> Iterator[Span]:
    """The number with letters whose first digits are at a place."""
    match = _IBAN.match(text.data, place - 2) if place > 1 else None
    if match is not None:
        plain = _plain(match[0])
        length = checksums.IBAN_LENGTHS.get(plain[:2], 0)
        if length and checksums.iban(plain[:length]):
            end, seen = match.start(), 0
            while seen < length:
                seen += text.data[end : end + 1] != b" "
                end += 1
            yield Span("iban", match.start(), end, 0.98, "its check digits are right (ISO 13616)")
    yield from _nationals(text, place, _WITH_LETTERS)


def numbers(text: Text, place: int) -> Iterator[Span]:
    """The number without letters that begins at a place."""
    match = _CARD.match(text.data, place)
    if match is not None and checksums.card(_plain(match[0])):
        said = text.says("card", match.start(), match.end())
        why = "its check digit is right (Luhn)" + (", and a word beside it says card" if said else "")
        yield Span("card", match.start(), match.end(), 0.97 if said else 0.75, why)
    yield from _nationals(text, place, _WITHOUT_LETTERS)


def phones(text: Text, place: int) -> Iterator[Span]:
    """Telephone numbers that begin at a place, or a little before it and reach there."""
    data, begin = text.data, max(0, place - _BEFORE)
    while (match := _PHONE.search(data, begin, place + _AFTER)) is not None and match.start() <= place:
        start, begin = match.start(), match.end()
        digits = sum(48 <= byte < 58 for byte in match[0])
        if begin <= place:
            continue
        if not 7 <= digits <= 15 or text.follows("account", start):
            return
        if text.says("phone", start, begin):
            yield Span("phone", start, begin, 0.95, "a word beside it says phone")
            return
        shape = match.lastgroup if match.lastgroup in _SHAPES else "american"
        score = _SHAPES[shape or "american"]
        if shape == "abroad" and b"+" not in match[0]:
            score = 0.6 if digits >= 10 and not match[0].isdigit() else 0.3
        if match["s"] == b" " and (data[start - 2 : start - 1].isdigit() or data[begin + 1 : begin + 2].isdigit()):
            score = 0.3  # one of many numbers in a row
        elif shape == "national" and digits > 8 and _NATIONAL.fullmatch(match[0]) and not _DATE.match(match[0]):
            score = 0.6
        yield Span("phone", start, begin, score, f"shape of a number, {shape}")
        return


def _nationals(text: Text, place: int, known: tuple[_Known, ...]) -> Iterator[Span]:
    for name, pattern, befores, plain_score, said_score in known:
        for before in befores:
            match = pattern.match(text.data, place - before) if place >= before else None
            if match is None or not checksums.NATIONAL[name](_plain(match[0])):
                continue
            start, end = match.start(), match.end()
            said = said_score > plain_score and text.says(name, start, end)
            score = said_score if said else plain_score
            if pattern is _SSN and not said and match[1] == b"-":
                score = 0.65
            why = f"a {name}" + (", and a word beside it says so" if said else "")
            yield Span("national number", start, end, score, why)


def _plain(raw: bytes) -> str:
    return raw.translate(None, b" .-").decode("ascii")

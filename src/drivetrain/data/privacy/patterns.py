"""What personal data looks like where a place says that it may be: addresses of mail, machines and houses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from drivetrain.data.privacy.span import Kind, Span
from drivetrain.data.privacy.text import Text

ADDRESS, MESSAGE, DIGITS, LOGIN, IP, VERSION = range(6)
FOUND: tuple[tuple[Kind, float, str], ...] = (
    ("email", 0.95, "an address"),
    ("email", 0.2, "the id of a message"),
    ("email", 0.35, "mostly digits"),
    ("url with user", 0.9, "a user's name stands in the address"),
    ("ip", 0.8, "four bytes with dots"),
    ("ip", 0.3, "a version's number"),
)
"""Kind, score and reason of what needs no more than a look at its bytes, in the order of the names above it."""

_LOCAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+'~-"
_LONGEST = 64
_QUOTED = (b"20", b"3D", b"22", b"3C", b"3A", b"09")
"""Codes of quoted-printable text that may stand right before an address."""
_IDS = {b"message-id", b"in-reply-to", b"references", b"content-id", b"resent-message-id"}
_OPENED = re.compile(rb"<(?=[^\x00- <>]*\Z)")
_HEAD = re.compile(rb"[ \t>|]*([A-Za-z\-]+):")
_FOLDED = 12
"""Lines of a header that are looked through for its name."""
_REACH = 1000
_AFTER_AT = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![A-Za-z0-9\-])")
_SCHEME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-"
_USER = re.compile(rb"[^\s/@<>\"'&?#:][^\s/@<>\"'&?#]*")
_HOST = re.compile(rb"[A-Za-z0-9\-.]+")
_IPV4 = re.compile(rb"(?<![\d.\w\-])(?:\d{1,3}\.){3}\d{1,3}(?![\d\-]|\.\d|[A-Za-z])")
_COLONED = re.compile(rb"(?<![\w:.\-])[0-9A-Fa-f:\-]{5,39}(?:(?:\.\d{1,3}){3})?(?![\w:\-])")
_MAC = re.compile(rb"[0-9A-Fa-f]{2}([:\-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}")
_SUITE = rb"(?:Suite|Ste|Apt|Floor|Unit)"
_ENGLISH = re.compile(
    rb"\d{1,5}[A-Za-z]?,? (?:[NSEW]\.? )?(?:[A-Z][A-Za-z'\-]*\.? |\d{1,3}(?:st|nd|rd|th) ){1,4}"
    rb"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Terrace|Place|Pl|Highway|Hwy"
    rb"|Parkway|Pkwy|Way|Close|Crescent)\b\.?(?:,? (?:" + _SUITE + rb"|Fl|#)\.? ?#?\w{1,6})?"
    rb"|\d{1,5} (?:[A-Z][A-Za-z'\-]+\.? ){0,3}[A-Z][A-Za-z'\-]+,? " + _SUITE + rb"\.? #?\w{1,6}"
)
_FRENCH = re.compile(
    rb"\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|impasse) (?:[\w'\-]+ ){0,4}[\w'\-]+"
)
_GERMAN = re.compile(
    rb"[A-Z\xc3][\w\xc3\x84\x96\x9c\xa4\xb6\xbc\x9f\-]*(?:stra\xc3\x9fe|strasse|str\.|weg|gasse|platz|allee) "
    rb"\d{1,4}(?: ?[a-z]\b)?\Z",
    re.IGNORECASE,
)
_BOX = re.compile(rb"(?:\bP\. ?O\. ?|\bP ?O ?|\bGPO |\bPost(?:al)? Office )(?:Box|BOX|box) \Z")
_HOUSE = re.compile(rb"\d{1,4}(?: ?[a-z]\b)?")


def emails(text: Text, at: int) -> Iterator[Span]:
    """The address around an ``@``, or the URL whose user it ends."""
    data = text.data
    before = data[max(0, at - 96) : at]
    name, mark, user = before.rpartition(b"://")
    scheme = name[len(name.rstrip(_SCHEME)) :][-16:].lstrip(b"0123456789+.-")
    if mark and len(scheme) > 1 and _USER.fullmatch(user):
        host = _HOST.match(data, at + 1)
        if host is not None:
            yield _span(LOGIN, at - len(user) - 3 - len(scheme), host.end())
        return
    local = before[len(before.rstrip(_LOCAL)) :]
    if not 0 < len(local) <= _LONGEST or local.endswith(b"."):
        return
    if len(local) > 2 and local.startswith(_QUOTED) and data[at - len(local) - 1 : at - len(local)] == b"=":
        local = local[2:]
    local = local.lstrip(b".'-")
    after = _AFTER_AT.match(data, at + 1)
    if not local or b".." in local or after is None:
        return
    start, what = at - len(local), ADDRESS
    digits = len(local) - len(local.translate(None, b"0123456789"))
    opened = _OPENED.search(data, max(0, start - 64), start)
    if opened is not None and (digits or at - opened.end() >= 20) and _header(data, start) in _IDS:
        what = MESSAGE
    elif digits > 8 and digits * 4 > len(local) * 3:
        what = DIGITS
    yield _span(what, start, after.end())


def _span(what: int, start: int, end: int) -> Span:
    kind, score, why = FOUND[what]
    return Span(kind, start, end, score, why)


def _header(data: bytes, end: int) -> bytes:
    """The name of the header that a place stands in, also where it is folded or quoted."""
    for _ in range(_FOLDED):
        least = max(0, end - _REACH)
        begin = data.rfind(b"\n", least, end) + 1
        if not begin and least:
            return b""
        head = _HEAD.match(data, begin, end)
        if head is not None:
            return head[1].lower()
        if not begin or data[begin : begin + 1] not in {b" ", b"\t"}:
            return b""
        end = begin - 1
    return b""


def addresses_v4(text: Text, place: int) -> Iterator[Span]:
    """The IPv4 address that begins at a place."""
    match = _IPV4.match(text.data, place)
    if match is not None and all(
        int(part) <= 255 and (part == b"0" or part[:1] != b"0") for part in match[0].split(b".")
    ):
        yield _span(VERSION if text.follows("version", place) else IP, place, match.end())


def coloned(text: Text, colon: int) -> Iterator[Span]:
    """The IPv6 or MAC address around a separator."""
    for match in _COLONED.finditer(text.data, max(0, colon - 6), colon + 56):
        raw, start, end = match[0], match.start(), match.end()
        if start > colon:
            return
        if _MAC.fullmatch(raw):
            if b"-" in raw and raw.translate(None, b"-").isdigit():
                continue  # six numbers of a lottery
            yield Span("mac", start, end, 0.9, "six bytes in pairs")
        elif raw.count(b":") >= 2 and len(raw) > 5:
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
    if digits is None:
        return
    box = _BOX.search(before)
    if box is not None:
        end = house + len(line) - len(line.lstrip(b"0123456789"))
        yield Span("address", house - len(before) + box.start(), end, 0.75, "a box of a post office")
    german = _GERMAN.search(before + digits[0])
    if german is not None:
        start = house - len(before) + german.start()
        yield Span("address", start, house + digits.end(), 0.75, "a street and a house number")

"""What is found in text, and what is not."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.data.mask import masked
from drivetrain.data.privacy import scan as scanning
from drivetrain.data.privacy.scan import scan, scan_bytes, scan_rows

FOUND = [
    ("mail ada.lovelace+x@mail.example.org.", "email", "ada.lovelace+x@mail.example.org"),
    ("<o'neil@example.co.uk>", "email", "o'neil@example.co.uk"),
    ("Grüße an jörg und ada@example.org", "email", "ada@example.org"),
    ("call +49 (0)30 901820-11 soon", "phone", "+49 (0)30 901820-11"),
    ("(415) 555-2671", "phone", "(415) 555-2671"),
    ("415.555.2671", "phone", "415.555.2671"),
    ("Tel: 030/1234567", "phone", "030/1234567"),
    ("phone 555-2671", "phone", "555-2671"),
    ("paid with 4111 1111 1111 1111 today", "card", "4111 1111 1111 1111"),
    ("amex 3782-822463-10005", "card", "3782-822463-10005"),
    ("to GB82 WEST 1234 5698 7654 32 please", "iban", "GB82 WEST 1234 5698 7654 32"),
    ("DE89370400440532013000", "iban", "DE89370400440532013000"),
    ("SSN 219-09-9999", "national number", "219-09-9999"),
    ("social security: 219099999", "national number", "219099999"),
    ("NI AB 12 34 56 C", "national number", "AB 12 34 56 C"),
    ("Steuer-ID 86 095 742 719", "national number", "86 095 742 719"),
    ("2 55 08 14 168 025 38", "national number", "2 55 08 14 168 025 38"),
    ("12345678Z", "national number", "12345678Z"),
    ("C.F. RSSMRA85T10A562S", "national number", "RSSMRA85T10A562S"),
    ("BSN 111222333", "national number", "111222333"),
    ("from 192.168.1.20 at noon", "ip", "192.168.1.20"),
    ("host 2001:db8::ff00:42:8329 up", "ip", "2001:db8::ff00:42:8329"),
    ("mac 00:1B:44:11:3A:B7", "mac", "00:1B:44:11:3A:B7"),
    ("00-1b-44-11-3a-b7", "mac", "00-1b-44-11-3a-b7"),
    ("see http://bob:pw@host.example/x", "url with user", "http://bob:pw@host.example"),
    ("ftp://bob@host.example", "url with user", "ftp://bob@host.example"),
    ("lives at 12 Main Street, Springfield", "address", "12 Main Street"),
    ("221B Baker Street", "address", "221B Baker Street"),
    ("in der Musterstraße 12a, Berlin", "address", "Musterstraße 12a"),
    ("10 rue de la Paix", "address", "10 rue de la Paix"),
]
NOT_FOUND = [
    "at 12:34:56 on 2002-08-22",
    "2002-08-22T12:34:56+0100",
    "version 1.2.3.4",
    "999.1.1.1 or 1.2.3 or 1.2.3.4.5",
    "order 4155552671",
    "4111 1111 1111 1112",
    "GB82 WEST 1234 5698 7654 33",
    "Message-ID: <20020822123.A1234@mail.example.com>",
    "a@b, me@home, @handle, x @ y.org",
    "std::vector<int> a::b",
    "pi is 3.14159265358979",
    "",
]


@pytest.mark.parametrize(("text", "kind", "what"), FOUND)
def test_what_is_found(text, kind, what):
    assert [(span.kind, text[span.start : span.end]) for span in scan(text)] == [(kind, what)]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_not(text):
    assert scan(text) == []


def test_lines_put_aside_at_first_hold_nothing():
    """With and without that step the same is found, wherever the lines lie."""
    dice = random.Random(3)
    plain = ["nothing to see here", "two of three, and ten more", "über alles hinaus", "x" * 200]
    for _ in range(60):
        lines = dice.choices(plain, k=20) + [text for text, _, _ in dice.sample(FOUND, 4)]
        dice.shuffle(lines)
        text = "\n".join(lines)
        few = scan(text)
        before, scanning._DENSE = scanning._DENSE, -1.0
        try:
            assert scan(text) == few
        finally:
            scanning._DENSE = before
        assert len(few) == 4


def test_rows_are_told_apart():
    rows = ["ada@example.org", None, "", "two\nlines bob@example.org", "none", "ü 415-555-2671"]
    found = [(place, rows[place].encode()[span.start : span.end].decode()) for place, span in scan_rows(rows)]
    assert found == [(0, "ada@example.org"), (3, "bob@example.org"), (5, "415-555-2671")]


@given(st.text())
def test_any_text_can_be_looked_at(text):
    for span in scan(text, least=0.0):
        assert 0 <= span.start < span.end <= len(text)


@given(st.binary())
def test_any_bytes_can_be_looked_at(data):
    spans = scan_bytes(data, least=0.0)
    assert all(a.end <= b.start for a, b in pairwise(spans))


def test_what_is_shown_tells_the_shape_and_not_the_value():
    assert masked("ada@example.org") == "a**@*******.**g"
    assert masked("4111 1111 1111 1111") == "4*** **** **** ***1"
    assert masked("abcd") == "****"

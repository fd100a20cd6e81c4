"""Every benchmark of data, one after the other, and one table of what they say.

    python benchmarks/data.py [--quick]

``--quick`` runs all of them at a small part of their size, to see that they run; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import summary

HERE = Path(__file__).parent
QUICK = {
    "contracts": ["--quick", "--repeat", "1"],
    "ingestion": ["--rows", "100000", "--repeat", "1"],
    "pii_scan": ["--quick"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    failed = []
    with tempfile.TemporaryDirectory(prefix="bench-data-") as folder:
        lines = Path(folder) / "lines"
        for name, size in QUICK.items():
            print(f"\n== {name} ==", flush=True)
            command = [sys.executable, str(HERE / f"{name}.py"), "--summary", str(lines), *(size if quick else ())]
            if subprocess.run(command, check=False).returncode:
                failed.append(name)
        print("\n" + summary.markdown(summary.read(lines)))
    if failed:
        sys.exit(f"did not finish: {', '.join(failed)}")


if __name__ == "__main__":
    main()

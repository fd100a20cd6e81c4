"""Every benchmark of features, one after the other, and one table of what they say.

    python benchmarks/features.py [--quick]

``--quick`` runs all of them at a hundredth of their size, to see that they run; its figures mean nothing.
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
    "point_in_time": ["--events", "100000", "--labels", "10000", "--entities", "1000"],
    "fraud_features": ["--days", "45", "--customers", "200", "--terminals", "400"],
    "online_read": ["--entities", "500", "--events", "20", "--reads", "2000"],
    "push": ["--entities", "200", "--pushes", "2000"],
    "materialise": ["--rows", "20000", "--entities", "1000"],
    "window_scaling": ["--rows", "10000", "30000", "100000", "--image", "/dev/null"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    failed = []
    with tempfile.TemporaryDirectory(prefix="bench-features-") as folder:
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

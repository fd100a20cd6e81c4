"""Every benchmark of monitoring, one after the other, and one table of what they say.

    python benchmarks/monitor.py [--quick]

``--quick`` runs all of them at a small part of their size, to see that they run; its figures mean nothing.
"""

from __future__ import annotations

import several

QUICK = {
    "monitor_drift": ["--quick", "--repeat", "1"],
    "monitor_sketches": ["--quick", "--repeat", "1"],
    "monitor_texts": ["--quick", "--repeat", "1"],
}

if __name__ == "__main__":
    several.main(__doc__, QUICK)

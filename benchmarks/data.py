"""Every benchmark of data, one after the other, and one table of what they say.

    python benchmarks/data.py [--quick]

``--quick`` runs all of them at a small part of their size, to see that they run; its figures mean nothing.
"""

from __future__ import annotations

import several

QUICK = {
    "contracts": ["--quick", "--repeat", "1"],
    "ingestion": ["--rows", "100000", "--repeat", "1"],
    "pii_scan": ["--quick"],
}

if __name__ == "__main__":
    several.main(__doc__, QUICK)

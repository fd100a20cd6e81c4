"""Every benchmark of training and of what is kept of it, one after the other, and one table of what they say.

    python benchmarks/train.py [--quick]

``--quick`` runs all of them at a small part of their size, to see that they run; its figures mean nothing.
"""

from __future__ import annotations

import several

QUICK = {"tuning": ["--quick"], "mlflow_logging": ["--quick"]}

if __name__ == "__main__":
    several.main(__doc__, QUICK)

"""Every benchmark of features, one after the other, and one table of what they say.

    python benchmarks/features.py [--quick]

``--quick`` runs all of them at a hundredth of their size, to see that they run; its figures mean nothing.
"""

from __future__ import annotations

import several

QUICK = {
    "point_in_time": ["--events", "100000", "--labels", "10000", "--entities", "1000"],
    "fraud_features": ["--days", "45", "--customers", "200", "--terminals", "400"],
    "online_read": ["--entities", "500", "--events", "20", "--reads", "2000"],
    "push": ["--entities", "200", "--pushes", "2000"],
    "materialise": ["--rows", "20000", "--entities", "1000"],
    "window_scaling": ["--rows", "10000", "30000", "100000", "--image", "/dev/null"],
}

if __name__ == "__main__":
    several.main(__doc__, QUICK)

"""The drift report of ``monitor_drift.py`` as peers make it; each runs in an environment of its own.

    python benchmarks/monitor_drift_peers.py PEER REFERENCE.parquet WINDOW.parquet

Both are asked for the statistics that they and we have. Frames are read before the clock starts; what they are made
into is within it.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import measure

PACKAGES: dict[str, tuple[str, ...]] = {
    "Evidently": ("evidently==0.7.23", "pandas<3"),
    "NannyML": ("nannyml==0.13.1", "statsmodels"),
}
EVIDENTLY = {
    "n": ("ks", "psi", "jensenshannon", "hellinger", "wasserstein"),
    "c": ("chisquare", "psi", "jensenshannon", "hellinger"),
}
"""Its TVD is left out: it permutes rows in pandas, which alone would take most of the time."""
NANNYML = {
    "n": ("kolmogorov_smirnov", "jensen_shannon", "hellinger", "wasserstein"),
    "c": ("chi2", "jensen_shannon", "hellinger", "l_infinity"),
}


def evidently(reference: Any, window: Any) -> Callable[[], float]:
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - each peer is in an environment of its own
    from evidently.metrics import ValueDrift  # noqa: PLC0415

    kinds = {kind: [name for name in reference.columns if name[0] == kind] for kind in "nc"}

    def work() -> float:
        definition = DataDefinition(numerical_columns=kinds["n"], categorical_columns=kinds["c"])
        sides = [Dataset.from_pandas(frame, data_definition=definition) for frame in (window, reference)]
        metrics = [
            ValueDrift(column=name, method=method)
            for kind, names in kinds.items()
            for name in names
            for method in EVIDENTLY[kind]
        ]
        found = Report(metrics).run(*sides).dict()
        return float(len(found["metrics"]))

    return work


def nannyml(reference: Any, window: Any) -> Callable[[], float]:
    import nannyml as nml  # noqa: PLC0415

    def work() -> float:
        calculator = nml.UnivariateDriftCalculator(
            column_names=list(reference.columns),
            treat_as_categorical=[name for name in reference.columns if name[0] == "c"],
            continuous_methods=list(NANNYML["n"]),
            categorical_methods=list(NANNYML["c"]),
            chunk_number=1,
        )
        calculator.fit(reference)
        return float(calculator.calculate(window).to_df().shape[0])

    return work


if __name__ == "__main__":
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    warnings.filterwarnings("ignore")
    import pandas as pd

    peer, *places = sys.argv[1:]
    frames = [pd.read_parquet(place) for place in places]
    job = {"Evidently": evidently, "NannyML": nannyml}[peer](*frames)
    measure.here(peer, job)

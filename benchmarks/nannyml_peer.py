"""What NannyML does with the same rows: fits isotonic regression on the reference, then estimates one chunk.

Run by ``monitor_cbpe.py`` in an environment of its own: ``nannyml_peer.py rows.npz``.
"""

from __future__ import annotations

import os
import sys
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from nannyml import CBPE  # noqa: E402

from measure import here  # noqa: E402

METRICS = ["roc_auc", "average_precision", "accuracy", "precision", "recall", "f1"]


def estimated(reference: pd.DataFrame, window: pd.DataFrame) -> float:
    """ROC AUC of the window, estimated beside five other metrics."""
    estimator = CBPE(
        y_pred_proba="score",
        y_pred="acted",
        y_true="came",
        problem_type="classification_binary",
        metrics=METRICS,
        chunk_size=len(window),
    )
    estimator.fit(reference)
    found = estimator.estimate(window).filter(period="analysis").to_df()
    return float(found[("roc_auc", "value")].iloc[0])


if __name__ == "__main__":
    with np.load(sys.argv[1]) as rows:
        reference = pd.DataFrame({"score": rows["reference"], "came": rows["came"]})
        window = pd.DataFrame({"score": rows["window"]})
    for frame in (reference, window):
        frame["acted"] = (frame["score"] >= 0.5).astype(int)
    here("NannyML CBPE", lambda: estimated(reference, window))

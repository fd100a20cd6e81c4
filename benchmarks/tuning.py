"""Tuned LightGBM through us, beside bare Optuna and LightGBM; and what registering and loading a model takes.

Both search the same space with the same sampler, seeds, pruner and rows, stop early by the same rule and learn once
more from every row; that both tried the same parameters, and came to the same trees, is checked. The bare one keeps
nothing and says nothing; ours keeps every trial on disk as it ends. They take turns, each in this process; what counts
is the median of the ratios of pairs, by the processor, and beside it by the clock.

    python benchmarks/tuning.py [--rounds N] [--quick]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import lightgbm
import numpy as np
import optuna

import drivetrain as dt
import summary
from drivetrain.adapters.lightgbm.parameters import DEFAULTS, MOST_ROUNDS, PATIENCE, SPACE
from drivetrain.core.progress import Silent
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import GateReport, Run
from drivetrain.core.records.schema import Field, InputSchema
from drivetrain.core.settings import StoreSettings
from drivetrain.registry.load import load_engine
from drivetrain.registry.register import register
from drivetrain.store.bundle import open_store
from drivetrain.train.artifacts import keep
from drivetrain.train.score import average_precision
from drivetrain.train.tuning.search import search

FEATURES = 20
SEED = 3
BUDGET = 1.05
LEAST_MS = 100.0


def made(rows: int) -> FitTask:
    """Rows in which something can be learned: trees of depth, noise, and values that are missing."""
    draw = np.random.default_rng(0)
    values = draw.normal(size=(rows * 5 // 4, FEATURES))
    margin = values[:, 0] * values[:, 1] + np.sin(2 * values[:, 2]) + 0.5 * np.abs(values[:, 3]) - 1.5
    labels = (draw.random(len(values)) < 1 / (1 + np.exp(-margin))).astype(float)
    values[draw.random(values.shape) < 0.05] = np.nan
    return FitTask(
        rows=values[:rows], labels=labels[:rows], valid_rows=values[rows:], valid_labels=labels[rows:], parameters={},
        schema=InputSchema(tuple(Field(f"f.x{at}") for at in range(FEATURES))), seed=SEED, threads=1,
        metric="average_precision",
    )  # fmt: skip


def ours(task: FitTask, trials: int) -> str:
    """A search, the fit that stops early, and the fit on every row; the trees."""
    trainer = dt.LightGBM()
    with tempfile.TemporaryDirectory(prefix="bench-tuning-") as folder:
        asked = dt.Tune(trials=trials, rows=len(task.labels))
        found = search(trainer, task, asked, storage=Path(folder) / "trials.jsonl", progress=Silent())
    fields = {name: getattr(task, name) for name in task.__struct_fields__}
    used = trainer.fit(FitTask(**{**fields, "parameters": found.parameters})).parameters()
    rows, labels = np.concatenate([task.rows, task.valid_rows]), np.concatenate([task.labels, task.valid_labels])
    whole = FitTask(rows=rows, labels=labels, schema=task.schema, parameters=used, seed=SEED, threads=1)
    fitted = trainer.fit(whole)
    return fitted._booster.model_to_string().partition("parameters:")[0]  # noqa: SLF001 - its trees, not its settings


def bare(task: FitTask, trials: int) -> str:
    """The same, as it is written by hand."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    fixed = {
        **DEFAULTS, "objective": "binary", "metric": ["binary_logloss", "average_precision"], "num_threads": 1,
        "seed": SEED, "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }  # fmt: skip
    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(5, 20, 5, n_min_trials=5), sampler=_sampler(0)
    )

    def objective(trial: optuna.Trial) -> float:
        booster, _ = _boost(task, {**fixed, **_suggest(trial)}, trial)
        said = booster.predict(task.valid_rows, num_iteration=booster.best_iteration)
        return average_precision(task.valid_labels, said)

    for number in range(trials):
        study.sampler = _sampler(number)
        study.optimize(objective, n_trials=1)
    used = {**fixed, **study.best_params}
    _, best = _boost(task, used, None)
    rows, labels = np.concatenate([task.rows, task.valid_rows]), np.concatenate([task.labels, task.valid_labels])
    data = lightgbm.Dataset(rows, labels, feature_name=[f"f{at}" for at in range(FEATURES)], params=used)
    return lightgbm.train(used, data, best).model_to_string().partition("parameters:")[0]


def _sampler(number: int) -> optuna.samplers.TPESampler:
    """Ours begins each trial anew from its number; so that both try the same, this does too."""
    return optuna.samplers.TPESampler(seed=SEED * 1_000_003 + number, n_startup_trials=5, multivariate=True)


def _suggest(trial: optuna.Trial) -> dict[str, float]:
    return {
        name: trial.suggest_int(name, int(part.low), int(part.high), log=part.log)
        if part.integer
        else trial.suggest_float(name, part.low, part.high, log=part.log)
        for name, part in SPACE.items()
    }


def _boost(task: FitTask, parameters: Mapping[str, object], trial: optuna.Trial | None) -> tuple[object, int]:
    def after(state: object) -> None:
        trial.report(state.evaluation_result_list[1][2], state.iteration)
        if trial.should_prune():
            raise optuna.TrialPruned

    data = lightgbm.Dataset(
        task.rows, task.labels, feature_name=[f"f{at}" for at in range(FEATURES)], params=dict(parameters)
    )
    valid = data.create_valid(task.valid_rows, task.valid_labels)
    stop = lightgbm.early_stopping(PATIENCE, first_metric_only=True, verbose=False)
    booster = lightgbm.train(
        dict(parameters), data, MOST_ROUNDS, valid_sets=[valid], callbacks=[*([after] if trial else []), stop]
    )
    return booster, booster.best_iteration


def timed(work: Callable[[FitTask, int], str], task: FitTask, trials: int) -> tuple[float, float, str]:
    """CPU seconds, seconds, and what came of it."""
    cpu, wall = time.process_time(), time.perf_counter()
    trees = work(task, trials)
    return time.process_time() - cpu, time.perf_counter() - wall, trees


def overhead(rows: int, trials: int, rounds: int) -> summary.Line:
    """The line of the table on tuning."""
    task = made(rows)
    work = {"ours": ours, "bare": bare}
    for each in work.values():
        each(made(2_000), 6)  # imports, and whatever else comes once
    pairs = []
    for number in range(rounds):
        order = list(work) if number % 2 == 0 else list(work)[::-1]
        found = {name: timed(work[name], task, trials) for name in order}
        if found["ours"][2] != found["bare"][2]:
            raise SystemExit("the two came to different trees: they did not do the same work")
        pairs.append([(a / b, a, b) for a, b in zip(found["ours"][:2], found["bare"][:2], strict=True)])
        print(f"  round {number + 1}: × {pairs[-1][0][0]:.3f} by CPU, × {pairs[-1][1][0]:.3f} by the clock", flush=True)
    cpu, wall = (statistics.median(pair[at][0] for pair in pairs) for at in (0, 1))
    spent = [statistics.median(pair[0][at] for pair in pairs) for at in (1, 2)]
    spread = [min(pair[0][0] for pair in pairs), max(pair[0][0] for pair in pairs)]
    return summary.Line(
        f"LightGBM tuned by {trials} trials on {rows:,} rows of {FEATURES}, and fitted; the same trees",
        f"{spent[0]:.1f} CPU-s: × {cpu:.3f} ({spread[0]:.2f} to {spread[1]:.2f}) by CPU, × {wall:.3f} by the clock",
        f"× {BUDGET:g}",
        cpu <= BUDGET,
        [f"bare Optuna {optuna.__version__} and LightGBM {lightgbm.__version__} {spent[1]:.1f} CPU-s"],
    )


def registry(rounds: int) -> Iterator[summary.Line]:
    """The lines on registering and loading."""
    task = made(5_000)
    fitted = dt.LightGBM(num_iterations=200, num_leaves=63).fit(task)
    with tempfile.TemporaryDirectory(prefix="bench-registry-") as folder:
        store = open_store(StoreSettings(), Path(folder))
        artifacts, packaging = keep(store.blobs, fitted, task.schema, task.rows[:500])
        took: dict[str, list[tuple[float, float]]] = {"registered": [], "loaded": []}
        for number in range(rounds):
            run = Run(
                run_id=f"r{number}", model="m", trainer="lightgbm", status="done", code="c", environment="e",
                input_schema=task.schema, artifacts=artifacts, packaging=packaging,
            )  # fmt: skip
            began = time.perf_counter(), time.process_time()
            version = register(
                store, run, gates=GateReport((), 0), card=b"<html>" + bytes([32 + number % 90]) * 80_000,
                reference=bytes([number % 256]) * 20_000, features={}, training_set="table:t@1",
            )  # fmt: skip
            between = time.perf_counter(), time.process_time()
            load_engine(store, version).predict_row(task.rows[0].tolist())
            after = time.perf_counter(), time.process_time()
            took["registered"].append((1e3 * (between[0] - began[0]), 1e3 * (between[1] - began[1])))
            took["loaded"].append((1e3 * (after[0] - between[0]), 1e3 * (after[1] - between[1])))
        store.close()
    size = sum(artifact.size for artifact in artifacts) / 1e6
    for what, found in took.items():
        clocked = [wall for wall, _ in found]
        middle, cpu = statistics.median(clocked), statistics.median(cpu for _, cpu in found)
        yield summary.Line(
            f"a model of {size:.1f} MB {what}, through the Python door",
            f"{middle:.1f} ms ({min(clocked):.1f} to {max(clocked):.1f}, {rounds} times), {cpu:.1f} ms of it CPU",
            f"{LEAST_MS:g} ms",
            middle <= LEAST_MS,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rows, few trials, one round")
    parser.add_argument("--rounds", type=int, default=5, help="pairs (default 5)")
    summary.asks(parser)
    asked = parser.parse_args()
    rows, trials, rounds = (3_000, 8, 1) if asked.quick else (30_000, 20, asked.rounds)
    told = [overhead(rows, trials, rounds), *registry(3 if asked.quick else 20)]
    print(summary.markdown(told))
    summary.add(asked.summary, *told)


if __name__ == "__main__":
    main()

"""Drafts a project around work that exists: by reading, never by running."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import msgspec

from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.loop.adopt.calls import unwrapped
from drivetrain.loop.adopt.draft import Feature, Plan, draft, identifier
from drivetrain.loop.adopt.estimators import REGRESSION, Trainer, is_estimator, trainer_of
from drivetrain.loop.adopt.headers import header
from drivetrain.loop.adopt.model_files import ModelFile, read_model
from drivetrain.loop.adopt.program import read_program
from drivetrain.loop.adopt.reading import Reading
from drivetrain.loop.adopt.seen import Fit, Seen
from drivetrain.loop.adopt.transformers import columns_of
from drivetrain.loop.adopt.values import Column, Computed, Made, Rows

_METRICS = {
    "roc_auc_score": "roc_auc", "roc_auc": "roc_auc", "auc": "roc_auc", "average_precision_score": "average_precision",
    "average_precision": "average_precision", "aucpr": "average_precision", "log_loss": "log_loss",
    "logloss": "log_loss", "binary_logloss": "log_loss", "neg_log_loss": "log_loss", "brier_score_loss": "brier",
    "neg_brier_score": "brier",
}  # fmt: skip
_KEYS = ("id", "uuid", "key", "index")
_PROGRAMS = frozenset({".ipynb", ".py"})


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """A draft.

    Attributes:
        of: The file that was read.
        found: What it says, a line each.
        unknown: What it does not say, or says otherwise than a project can.
        project: The text of ``project.py``.
        written: Where it was written; none where it was not.
    """

    of: str
    found: tuple[str, ...]
    unknown: tuple[str, ...]
    project: str
    written: str | None = None


def adopt(path: str | Path, output: str | Path | None = None) -> Adopted:
    """Drafts a ``project.py`` around a notebook, a script or a model file. Nothing of it is run, no pickle is opened.

    What could not be told stands in the draft as TODO lines, and in the answer.

    Args:
        path: ``.ipynb``, ``.py``; or a model: LightGBM's text, XGBoost's JSON, ONNX, skops.
        output: Folder for the draft, made if it is not there; a ``project.py`` in it is never overwritten. Nothing is
            written by default.

    Raises:
        UnknownName: There is no such file.
        UsageError: It can't be read, or the folder holds a project.
    """
    place = Path(path)
    if not place.is_file():
        raise UnknownName(f"there is no file {place}", expected="a notebook, a script or a model file")
    target = None if output is None else Path(output) / "project.py"
    if target is not None and target.exists():
        raise UsageError(f"{target} is there already", do="Choose another folder; nothing was changed")
    plan = _of_program(place) if place.suffix in _PROGRAMS else _of_model(place)
    text = draft(plan)
    ast.parse(text)  # a draft that is no Python would be a fault of ours
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    return Adopted(
        of=str(place),
        found=tuple(plan.told),
        unknown=tuple(dict.fromkeys(plan.unknown)),
        project=text,
        written=None if target is None else str(target),
    )


def _of_model(path: Path) -> Plan:
    model: ModelFile | None = read_model(path)
    if model is None:
        raise UsageError(
            f"{path} is nothing that can be adopted",
            expected="a notebook (.ipynb), a script (.py), or a model: LightGBM's text, XGBoost's JSON, ONNX, skops",
        )
    plan = Plan(of=path.name, name=identifier(path.stem, "adopted"))
    plan.trainer = model.trainer
    plan.told = [model.words, f"{len(model.features)} features by name: {', '.join(model.features[:20])}"]
    plan.unknown = [
        *model.notes,
        "A model file says nothing of rows, label, times and splits: they are to be filled in.",
        *(["It tells a number, not a yes or no: look at label and metric."] if model.task == REGRESSION else []),
    ]
    plan.types = dict.fromkeys(model.features, "float")
    plan.guessed = set(model.features)
    plan.features = [Feature(name, f"pl.col({name!r})") for name in model.features]
    plan.label = "pl.col('answer') == 1"
    plan.label_todo = "the column that the model learned to tell"
    plan.types.setdefault("answer", "int")
    return plan


def _of_program(path: Path) -> Plan:
    program = read_program(path)
    try:
        reading = Reading(program.body)
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply to be read") from None
    seen = reading.seen
    plan = Plan(of=path.name, name=identifier(path.stem, "adopted"))
    plan.unknown += [*program.notes, *seen.notes]
    fit, trainer, before = _chosen(seen)
    plan.trainer = trainer.code
    plan.unknown += trainer.notes
    plan.told.append(f"model: {trainer.words or 'none found'}")
    others = dict.fromkeys(one[0].path for each in seen.fits if (one := unwrapped(each.model))[0] is not None)
    if len(others) > 1:
        plan.told.append(f"fitted too, and not in the draft: {', '.join(list(others)[:-1])}")
    _label(plan, fit, trainer)
    _columns(plan, path, seen, fit, before)
    _rest(plan, seen)
    return plan


def _chosen(seen: Seen) -> tuple[Fit | None, Trainer, list[Made]]:
    """The last fit that says to what, its trainer, and the transformers before it."""
    ranked = [fit for fit in seen.fits if fit.rows is not None] or seen.fits
    ranked = [fit for fit in ranked if (made := unwrapped(fit.model)[0]) is not None and is_estimator(made.path)]
    if ranked:
        made, before = unwrapped(ranked[-1].model)
        return ranked[-1], trainer_of(made), before
    if not seen.networks:
        return None, trainer_of(None), []
    network = seen.networks[-1]
    rows = next((one for one, _ in reversed(seen.tensors) if isinstance(one, Rows)), None)
    label, told = next(((one, told) for one, told in reversed(seen.tensors) if isinstance(one, Column)), (None, None))
    trainer = trainer_of(network)
    number = bool(seen.losses) and not any("BCE" in loss or "Entropy" in loss or "NLL" in loss for loss in seen.losses)
    return Fit(network, rows, label, told), trainer._replace(task=REGRESSION if number else ""), []


def _label(plan: Plan, fit: Fit | None, trainer: Trainer) -> None:
    label = fit.label if fit else None
    if label is None:
        plan.label, plan.label_todo = "pl.col('answer') == 1", "which column is the answer could not be told"
        plan.types.setdefault("answer", "int")
        plan.unknown.append("Which column is the label could not be told.")
        return
    told = (fit.told if fit else None) or Computed("", ast.unparse(label.node))
    plan.label_name = label.name or next(iter(_named(told.code or "None")), "answer")
    code = told.code
    if not code:
        code = f"pl.col({plan.label_name!r})"
        plan.label_todo = f"the program makes it by {told.words}"
    for name in _named(code):
        plan.types.setdefault(name, "float" if trainer.task == REGRESSION else "int")
        plan.guessed.add(name)
    plain = code == f"pl.col({plan.label_name!r})"
    if plain and trainer.task != REGRESSION:
        plan.label_todo = plan.label_todo or "which value of it means yes"
        code += " == 1"
    plan.label = code
    plan.told.append(f"label: {code}")
    if trainer.task == REGRESSION:
        plan.unknown.append("It tells a number, not a yes or no: look at label, metric and gate.")


def _columns(plan: Plan, path: Path, seen: Seen, fit: Fit | None, before: Sequence[Made]) -> None:
    """Sources, features with their types, key and time."""
    rows = fit.rows if fit and fit.rows is not None else None
    lone = Rows(tuple(seen.reads[:1]))
    owner = rows or (fit.label.rows if fit and fit.label else lone)
    plan.reads = list(dict.fromkeys([*owner.reads, *seen.reads]))
    known = header(path.parent, plan.reads[0]) if plan.reads else {}
    if known:
        plan.told.append(f"columns of {plan.reads[0].place}: {len(known)}, as its first rows have them")
    texts, numbers, rest = columns_of(before)
    seen.texts |= dict.fromkeys(texts)
    seen.numbers |= dict.fromkeys(numbers)
    names = _features_of(plan, owner if rows else lone, known, [*numbers, *texts] if not rest else [])
    label = set(_named(plan.label))
    for name in (name for name in names if name not in label):
        plan.features.append(_feature(plan, owner, name))
    for name in dict.fromkeys(field for feature in plan.features for field in _named(feature.code)):
        plan.types.setdefault(name, _type(seen, name))
        if name not in {*seen.texts, *seen.numbers, *seen.times, *known}:
            plan.guessed.add(name)
    for name, kind in known.items():
        if name in plan.types:
            plan.types[name] = kind
            plan.guessed.discard(name)
    times = [name for name in seen.times if name not in names] or list(seen.times)
    plan.time = next(iter(times), next((name for name, kind in known.items() if kind in {"time", "date"}), ""))
    if plan.time:
        plan.types[plan.time] = "time"
    every = dict.fromkeys((*known, *seen.columns, *owner.without))
    plan.key = next((name for name in every if _is_key(name) and name not in label), "")
    if plan.key:
        plan.types.setdefault(plan.key, known.get(plan.key, "string"))
        plan.features = [feature for feature in plan.features if feature.name != plan.key]
    told = ", ".join(feature.name for feature in plan.features[:30])
    plan.told.append(f"{len(plan.features)} features: {told or 'none that could be told'}")


def _features_of(plan: Plan, rows: Rows, known: dict[str, str], listed: Sequence[str]) -> list[str]:
    """The names of the features, as well as they can be told."""
    if listed:
        return list(dict.fromkeys(listed))
    if rows.columns is not None:
        return [name for name in rows.columns if name not in rows.without]
    every = [*known, *(name for name in rows.made if name not in known)]
    if known:
        return [name for name in every if name not in rows.without]
    plan.unknown.append(
        "The model reads every column of its rows but some"
        + (f" ({', '.join(sorted(rows.without))})" if rows.without else "")
        + ", and the file is not there to look at: add those that are missing."
    )
    return [name for name in rows.made if name not in rows.without]


def _feature(plan: Plan, rows: Rows, name: str) -> Feature:
    made = rows.made.get(name)
    if made is None:
        return Feature(name, f"pl.col({name!r})")
    if made.code:
        return Feature(name, f"{made.code}.alias({name!r})")
    plan.unknown.append(f"How {name} is made has no counterpart row by row: {made.why}.")
    return Feature(name, f"pl.col({name!r})", f"the program computes it: {made.words[:200]}")


def _rest(plan: Plan, seen: Seen) -> None:
    """Metric and split."""
    known = [_METRICS[name] for name in seen.metrics if name in _METRICS]
    if known:
        plan.metric = known[-1]
        plan.told.append(f"metric: {known[-1]}")
    elif seen.metrics:
        plan.metric_todo = f"the program looks at {', '.join(dict.fromkeys(seen.metrics))}"
        plan.unknown.append(
            f"{', '.join(dict.fromkeys(seen.metrics))} is no metric here: average precision stands in its place."
        )
    else:
        plan.metric_todo = "no metric was found"
    if not seen.splits:
        plan.split_todo = "how the program parts its rows was not found; these are the last 30 days, and 14 before them"
        return
    words = "; ".join(dict.fromkeys(seen.splits))
    plan.told.append(f"split: {words}")
    plan.split_todo = (
        f"the program parts by time ({words}): say how long its windows are"
        if seen.by_time
        else f"the program parts at random ({words}), which lets it learn from what came later; this cuts by time"
    )
    if not seen.by_time:
        plan.unknown.append(
            f"Rows are parted at random ({words}): the draft cuts by time, so figures will be lower and true."
        )


def _type(seen: Seen, name: str) -> str:
    if name in seen.times:
        return "time"
    return "string" if name in seen.texts else "float"


def _is_key(name: str) -> bool:
    low = name.lower()
    return low in _KEYS or low.endswith(("_id", "id_")) or name.endswith(("Id", "ID"))


def _named(code: str) -> list[str]:
    """Columns that an expression in Polars reads."""
    tree = ast.parse(code, mode="eval")
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.col")
    return [str(node.args[0].value) for node in calls if isinstance(node.args[0], ast.Constant)]

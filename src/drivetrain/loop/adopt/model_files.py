"""Model files, read as data: features and trees by what the file says. A pickle is not opened, for it would run."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from drivetrain.core.errors import UsageError

LARGEST = 1 << 30
"""Bytes of a file that is read."""
_PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".sav", ".dill", ".p"})
_PROTOCOLS = (b"\x02", b"\x03", b"\x04", b"\x05")
_TELLS_NUMBERS = ("Regressor", "SVR", "Ridge", "Lasso", "ElasticNet", "LinearRegression")
_TELLS = (*_TELLS_NUMBERS, "Classifier", "Regression", "SVC", "NB")
_WEIGHTS = frozenset({".pt", ".pth", ".ckpt", ".h5", ".keras", ".bin"})


class ModelFile(NamedTuple):
    """What a model file says of itself.

    Attributes:
        kind: ``LightGBM``, ``XGBoost``, ``ONNX``, ``skops``, ``safetensors``; ``pickle`` of what was not opened.
        features: Its columns by name, as far as it names them.
        trees: How many trees it has; none where it has none, or does not say.
        trainer: The trainer that stands for it.
        task: ``regression``, or empty.
        words: What it is, in a few words.
        notes: What it does not say.
    """

    kind: str
    features: tuple[str, ...]
    trees: int | None
    trainer: str
    task: str
    words: str
    notes: list[str]


def read_model(path: Path) -> ModelFile | None:
    """What a model file says; none where it is no such file.

    Raises:
        UsageError: It is one by its name, and can't be read.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is too large to be read", expected=f"at most {LARGEST:,} bytes")
        with path.open("rb") as file:
            head = file.read(64)
        return _read(path, head, path.suffix.lower())
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        zipfile.BadZipFile,
        RecursionError,
    ) as error:
        raise UsageError(f"{path} can't be read as a model: {type(error).__name__}: {error}") from None


def _read(path: Path, head: bytes, suffix: str) -> ModelFile | None:
    if suffix in _PICKLES or (head[:1] == b"\x80" and head[1:2] in _PROTOCOLS):
        return _unopened(
            path,
            "pickle",
            "A pickle runs what it says when it is opened: keep it as skops or ONNX where you trust it, or log it with "
            "MLflow's client and name its model in [models] trust_pickles",
        )
    if suffix in _WEIGHTS:
        return _unopened(path, "weights", "Such a file holds a pickle, or weights without the code that reads them")
    if suffix in {".ubj", ".model", ".cbm"}:
        return _unopened(path, suffix, "Only the forms in text are read: save it as .json")
    if head.startswith(b"tree\n"):
        return _lightgbm(path.read_text("utf-8"))
    if suffix == ".json" and head.lstrip()[:1] == b"{":
        return _xgboost(json.loads(path.read_text("utf-8")))
    read = {".safetensors": _safetensors, ".onnx": _onnx, ".skops": _skops}.get(suffix)
    return None if read is None else read(path)


def _unopened(path: Path, kind: str, why: str) -> ModelFile:
    note = f"{path.name} was not opened. {why}; which features it reads, and how, has to be said by hand."
    return ModelFile(kind, (), None, "dt.LightGBM()", "", f"{kind} {path.name}, not opened", [note])


def _lightgbm(text: str) -> ModelFile:
    facts = dict(line.partition("=")[::2] for line in text.partition("\nTree=")[0].splitlines() if "=" in line)
    features = tuple(facts.get("feature_names", "").split())
    trees = len(re.findall(r"^Tree=\d+$", text, re.MULTILINE))
    objective = facts.get("objective", "").split(" ")[0]
    told = dict(re.findall(r"^\[(\w+): ([^\]]*)\]$", text, re.MULTILINE))
    kept = {name: told[name] for name in ("num_leaves", "learning_rate", "min_data_in_leaf") if name in told}
    parameters = ", ".join([*(f"{name}={value}" for name, value in kept.items()), f"num_iterations={trees}"])
    task = (
        "regression"
        if objective.startswith(("regress", "huber", "poisson", "quantile", "mape", "gamma", "tweedie"))
        else ""
    )
    notes = (
        [] if not re.fullmatch(r"(Column_\d+ ?)*", " ".join(features)) else ["Its features have no names, only places."]
    )
    return ModelFile("LightGBM", features, trees, f"dt.LightGBM({parameters})", task,
                     f"LightGBM, {trees} trees, objective {objective or 'unknown'}", notes)  # fmt: skip


def _xgboost(model: dict[str, Any]) -> ModelFile | None:
    learner = model.get("learner")
    if not isinstance(learner, dict):
        return None
    booster = learner.get("gradient_booster", {})
    trees = len(booster.get("model", booster.get("gbtree", {}).get("model", {})).get("trees", []))
    objective = str(learner.get("objective", {}).get("name", ""))
    features = tuple(str(name) for name in learner.get("feature_names", []))
    notes = [] if features else ["Its features have no names."]
    task = "regression" if objective.startswith(("reg:", "count:", "survival:")) and "logistic" not in objective else ""
    return ModelFile("XGBoost", features, trees, f"dt.XGBoost(num_boost_round={trees})", task,
                     f"XGBoost, {trees} trees, objective {objective or 'unknown'}", notes)  # fmt: skip


def _skops(path: Path) -> ModelFile:
    with zipfile.ZipFile(path) as archive:
        found = archive.getinfo("schema.json")
        if found.file_size > LARGEST:
            raise UsageError(f"{path} unpacks to too much", expected=f"at most {LARGEST:,} bytes")
        schema = json.loads(archive.read(found))
    last = list(_classes(schema))
    estimators = [name for name in last if name.startswith("sklearn.") and not name.startswith(
        ("sklearn.preprocessing", "sklearn.pipeline", "sklearn.compose", "sklearn.impute"))]  # fmt: skip
    public = [".".join(part for part in name.split(".") if not part.startswith("_")) for name in estimators]
    wanted = next((name for name in public if name.endswith(_TELLS)), "")
    trainer = f"dt.Sklearn({wanted!r})" if wanted else "dt.LightGBM()"
    notes = ["Of its parameters nothing was taken over: what it was fitted with is in the file, not what was asked."]
    names = next(_feature_names(schema), ())
    if not names:
        notes.append("Its features have no names: it was fitted to an array.")
    task = "regression" if wanted.endswith(_TELLS_NUMBERS) else ""
    return ModelFile("skops", names, None, trainer, task, f"skops, {wanted or 'an estimator of its own'}", notes)


def _classes(node: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        if isinstance(node.get("__class__"), str):
            yield f"{node.get('__module__', '')}.{node['__class__']}"
        for part in node.values():
            yield from _classes(part)
    elif isinstance(node, list):
        for part in node:
            yield from _classes(part)


def _feature_names(node: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - JSON
    if isinstance(node, dict):
        named = node.get("feature_names_in_")
        if isinstance(named, dict) and isinstance(named.get("content"), list):
            yield tuple(str(json.loads(part["content"])) for part in named["content"])
        for part in node.values():
            yield from _feature_names(part)
    elif isinstance(node, list):
        for part in node:
            yield from _feature_names(part)


def _safetensors(path: Path) -> ModelFile:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > 100 << 20:
            raise ValueError("its head is longer than any")
        head = json.loads(file.read(length))
    tensors = [name for name in head if name != "__metadata__"]
    note = f"Weights alone ({', '.join(tensors[:4])}, …) name no features: the code that reads them does."
    return ModelFile("safetensors", (), None, "dt.LightGBM()", "", f"safetensors, {len(tensors)} tensors", [note])


def _onnx(path: Path) -> ModelFile:
    """An ONNX model: ``ModelProto`` of onnx.proto3, as far as names of inputs and trees go."""
    graph = next(
        (value for number, value in _fields(path.read_bytes()) if number == 7 and isinstance(value, bytes)), None
    )
    if graph is None:
        raise ValueError("it holds no graph")
    inputs = [_named(value, 1) for number, value in _fields(graph) if number == 11 and isinstance(value, bytes)]
    constants = {_named(value, 8) for number, value in _fields(graph) if number == 5 and isinstance(value, bytes)}
    trees: set[int] = set()
    kinds: list[str] = []
    for number, node in _fields(graph):
        if number == 1 and isinstance(node, bytes):
            kinds.append(_named(node, 4))
            trees |= _trees(node)
    named = tuple(name for name in inputs if name not in constants)
    notes = ["It reads one matrix: which column is which feature, it does not say."] if len(named) < 2 else []
    regressor = any(kind.endswith("Regressor") for kind in kinds) and not any(
        kind.endswith("Classifier") for kind in kinds
    )
    told = f", {len(trees)} trees" if trees else ""
    return ModelFile("ONNX", named if len(named) > 1 else (), len(trees) or None, "dt.LightGBM()",
                     "regression" if regressor else "", f"ONNX, {len(kinds)} nodes{told}", notes)  # fmt: skip


def _trees(node: bytes) -> set[int]:
    for number, attribute in _fields(node):
        if number == 5 and isinstance(attribute, bytes) and _named(attribute, 1) in {"nodes_treeids", "tree_roots"}:
            packed = [value for at, value in _fields(attribute) if at == 8]
            return {one for value in packed for one in (_varints(value) if isinstance(value, bytes) else [value])}
    return set()


def _named(message: bytes, field: int) -> str:
    found = next((value for number, value in _fields(message) if number == field), b"")
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else ""


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a message in protocol buffers' wire format."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
        elif kind == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("it ends in the middle")
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind in {1, 5}:
            at += 8 if kind == 1 else 4
        else:
            raise ValueError("no message in protocol buffers' wire format")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError("it ends in the middle")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _varints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value

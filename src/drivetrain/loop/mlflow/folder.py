"""A version as a folder that MLflow's clients load: its file as it is, under the flavour of its library."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from drivetrain.core import plugins
from drivetrain.core.clock import iso
from drivetrain.core.errors import RefusedError, StoreError, UsageError
from drivetrain.core.ids import derived_id
from drivetrain.core.protocols import Blobs
from drivetrain.core.records import Artifact, ModelVersion, Run
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.refs import resolve
from drivetrain.loop.versions import version_named
from drivetrain.registry.tracking.flavours import OURS, Ours

_ORDER = ("lightgbm", "xgboost", "catboost", "skops", "onnx")
"""Formats that MLflow has a flavour for, the library's own before a graph made of it."""
_SHARES = ("binary", "multiclass")
_ALONE = frozenset({*_ORDER, "torch", "background"})
"""Formats of what a version answers by itself; any other changes what the model's own file answers."""
_PLAIN = ("number", "boolean", "category")


class Laid(NamedTuple):
    """A version's folder.

    Attributes:
        files: Path → bytes.
        flavours: Under which flavours clients load it.
        note: What a client must know who loads it; empty where there is nothing.
    """

    files: dict[str, bytes]
    flavours: tuple[str, ...]
    note: str


class _Flavour(NamedTuple):
    """How a client loads a file.

    Attributes:
        name: Of the flavour.
        file: Where the model's file is.
        said: What ``MLmodel`` says under its name.
        package: The library that opens it.
        function: What ``python_function`` says; none where a plain ``predict`` would answer otherwise than we do.
        why_not: Then, why.
    """

    name: str
    file: str
    said: dict[str, Any]
    package: str
    function: dict[str, Any] | None
    why_not: str = ""


def laid_out(project: Definitions, version: ModelVersion) -> Laid:
    """A version as MLflow lays out a model.

    ``python_function`` is there only where it answers as the version does. What the columns mean, how categories are
    coded and what fills gaps stand under ``metadata``, from which another project of drivetrain takes it up.

    Raises:
        RefusedError: MLflow has no flavour that opens any of the version's forms without running code that came along.
        StoreError: A file is missing or damaged.
    """
    blobs, run = project.store.blobs, resolve(project, Run, f"run:{version.run_id}")
    by_format = {artifact.format: artifact for artifact in version.artifacts}
    kept = [by_format[format] for format in _ORDER if format in by_format]
    if not kept:
        raise RefusedError(
            f"MLflow has no flavour that opens {version.key} without running code that came along",
            found=", ".join(sorted(by_format)) or "no artifact: it was removed",
            expected=f"one of {', '.join(_ORDER)}",
            do="Export it as an archive: drivetrain export VERSION --output FILE",
        )
    found = [_MAKE[artifact.format](version, blobs.path(artifact.digest)) for artifact in kept]
    files = {one.file: _content(version, artifact, blobs) for one, artifact in zip(found, kept, strict=True)}
    flavours = {one.name: one.said for one in found}
    first, beyond = found[0], _beyond(version)
    if first.function is not None and not beyond:
        flavours["python_function"] = {
            **first.function,
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            "python_version": ".".join(map(str, sys.version_info[:3])),
        }
    packages = {
        "mlflow": "",
        **{one.package: run.packages.get(one.package) or _installed(one.package) for one in found},
    }
    beside = plugins.load("layout", "mlflow")(_about(project, version, flavours), packages)
    why_not = beyond or (first.why_not if first.function is None else "")
    note = f"There is no python_function: {why_not}." if why_not else ""
    return Laid({**beside, **files}, tuple(flavours), note)


def write_folder(project: Definitions, version: str | int, folder: str | Path, model: str | None) -> Laid:
    """See :meth:`Versions.mlmodel`."""
    place = Path(folder)
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place} is there already", expected="a folder that is new, or empty")
    laid = laid_out(project, version_named(project, version, model))
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, data in sorted(laid.files.items(), key=lambda each: each[0] == "MLmodel"):  # what names it comes last
            (place / name).write_bytes(data)
    except OSError as error:
        raise StoreError(f"{place} can't be written: {error.strerror or error}", do="Free some disk space") from error
    return laid


def _about(project: Definitions, version: ModelVersion, flavours: Mapping[str, Any]) -> dict[str, Any]:
    """What ``MLmodel`` says."""
    read = version.input_schema.read
    inputs = [{"type": "double", "name": name, "required": True} for name in read.names]
    ours = Ours(
        project=project.name,
        version=version.key,
        run=version.run_id,
        engine=version.engine,
        input_schema=version.input_schema,
        task=version.task,
    )
    return {
        "artifact_path": "model",
        "flavors": dict(flavours),
        "metadata": {OURS: msgspec.to_builtins(ours)},
        "model_uuid": derived_id("mlmodel", version.ref, *(one.digest for one in version.artifacts)).replace("-", ""),
        "signature": {"inputs": msgspec.json.encode(inputs).decode(), "outputs": None, "params": None},
        "utc_time_created": iso(version.at).replace("T", " ").removesuffix("Z"),
    }


def _beyond(version: ModelVersion) -> str:
    """Why a version answers otherwise than its model's file does; empty where it does not."""
    around = sorted({one.format for one in version.artifacts} - _ALONE)
    if around:
        return f"its answers are made of the model's by {', '.join(around)}, which stays here"
    odd = [field.name for field in version.input_schema.fields if field.type not in _PLAIN]
    return f"it reads {', '.join(odd[:3])}, of which the model takes what is made of it here" if odd else ""


def _content(version: ModelVersion, artifact: Artifact, blobs: Blobs) -> bytes:
    data = blobs.get(artifact.digest)
    return plugins.load("renamed", "xgboost")(data, version.input_schema.read.names) if _named(artifact) else data


def _named(artifact: Artifact) -> bool:
    """XGBoost holds a frame's columns against the names in its file, which here are places."""
    return artifact.format == "xgboost"


def _lightgbm(_version: ModelVersion, _path: Path) -> _Flavour:
    said = {"code": None, "data": "model.lgb", "model_class": "lightgbm.basic.Booster"}
    return _Flavour("lightgbm", "model.lgb", said, "lightgbm", _function("lightgbm", "model.lgb"))


def _xgboost(version: ModelVersion, _path: Path) -> _Flavour:
    said = {"code": None, "data": "model.ubj", "model_class": "xgboost.core.Booster", "model_format": "ubj"}
    codes = bool(version.input_schema.category_positions)
    function = None if codes else _function("xgboost", "model.ubj")
    return _Flavour(
        "xgboost", "model.ubj", said, "xgboost", function, "it reads categories, of which XGBoost takes codes"
    )


def _catboost(_version: ModelVersion, _path: Path) -> _Flavour:
    said = {"code": None, "data": "model.cb", "model_type": "CatBoost", "save_format": "cbm"}
    return _Flavour(
        "catboost", "model.cb", said, "catboost", None, "CatBoost's predict gives margins, not probabilities"
    )


def _skops(version: ModelVersion, path: Path) -> _Flavour:
    said = {
        "code": None,
        "pickled_model": "model.skops",
        "serialization_format": "skops",
        "skops_trusted_types": plugins.load("unknown_types", "sklearn")(path),
        "sklearn_version": _installed("scikit-learn"),
    }
    if version.task.kind in _SHARES:
        function = {**_function("sklearn", "model.skops"), "predict_fn": "predict_proba"}
    else:
        function = {**_function("sklearn", "model.skops"), "predict_fn": "predict"}
    odd = version.task.kind not in {*_SHARES, "regression"}
    return _Flavour(
        "sklearn", "model.skops", said, "scikit-learn", None if odd else function,
        f"of {version.task.kind} answers scikit-learn's predict gives another shape",
    )  # fmt: skip


def _onnx(_version: ModelVersion, _path: Path) -> _Flavour:
    said = {"code": None, "data": "model.onnx", "onnx_session_options": None, "providers": ["CPUExecutionProvider"]}
    return _Flavour(
        "onnx", "model.onnx", said, "onnxruntime", None, "a graph's answers have no shape of their own in it"
    )


_MAKE: Mapping[str, Callable[[ModelVersion, Path], _Flavour]] = {
    "catboost": _catboost,
    "lightgbm": _lightgbm,
    "onnx": _onnx,
    "skops": _skops,
    "xgboost": _xgboost,
}


def _function(flavour: str, file: str) -> dict[str, Any]:
    return {"data": file, "model_path": file, "loader_module": f"mlflow.{flavour}"}


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""

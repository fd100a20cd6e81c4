"""Whether a model that a client logged can be served here: its ``MLmodel`` file says what it is.

LightGBM's text, XGBoost's and CatBoost's own files, ONNX and skops can be opened without running anything that is in
them. A pickle can't, so a model of which there is only a pickle is kept, shown, and not served, unless the project says
that it trusts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from drivetrain.core import plugins
from drivetrain.core.errors import DrivetrainError, UnknownName
from drivetrain.core.records import InputSchema, Task
from drivetrain.registry.tracking import files
from drivetrain.registry.tracking.place import Place
from drivetrain.train.artifacts import PICKLE

DESCRIPTION = "MLmodel"
OURS = "drivetrain"
"""Under which name of ``metadata`` a model that was exported from here says what it reads."""
_NUMBERS = ("double", "float", "integer", "long", "boolean")
_PICKLES = ("cloudpickle", "pickle")
_SUFFIXES = {
    "lightgbm": (".lgb", ".txt"),
    "xgboost": (".ubj", ".json", ".xgb"),
    "catboost": (".cb", ".cbm"),
    "onnx": (".onnx",),
}
"""Flavour, and engine → what the names of files end with that it opens."""


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What a model that was exported from a project says beyond a signature.

    Attributes:
        project: The project.
        version: ``late@3`` there.
        run: Its run there.
        engine: What served it there.
        input_schema: Its columns, how categories are coded, and what fills gaps.
        task: What its answers stand for.
    """

    project: str
    version: str
    run: str
    engine: str
    input_schema: InputSchema
    task: Task = Task()


_decoded = msgspec.json.Decoder(Ours).decode
"""Made once, before there are threads."""


class Flavour(msgspec.Struct, frozen=True, kw_only=True):
    """How a model could be served.

    Attributes:
        engine: Adapter that would serve it; empty where none may.
        file: What it would open, beneath the model's folder.
        columns: What the model reads by its signature, in order; empty where it says nothing.
        why_not: Why none may serve it, in a sentence; empty where one may.
        ours: What it says where it was exported from a project of drivetrain.
    """

    engine: str = ""
    file: str = ""
    columns: tuple[str, ...] = ()
    why_not: str = ""
    ours: Ours | None = None


def look(place: Place, root: str, folder: str, *, pickles: bool = False) -> Flavour:
    """What a model's description says of it.

    Args:
        place: Where its files are.
        root: Whose files they are.
        folder: The model's folder beneath it; empty for the root itself.
        pickles: Whether one that is a pickle may be served.
    """
    try:
        text = files.read(place, root, f"{folder}/{DESCRIPTION}".lstrip("/")).decode("utf-8", "replace")
    except UnknownName:
        return Flavour(why_not=f"there is no {DESCRIPTION} file that says what it is")
    try:
        said = plugins.load("document", "yaml").read(text, DESCRIPTION)
    except DrivetrainError as error:
        return Flavour(why_not=f"its {DESCRIPTION} file can't be read: {error}")
    flavours = said.get("flavors") if isinstance(said, dict) else None
    if not isinstance(flavours, dict):
        return Flavour(why_not=f"its {DESCRIPTION} file names no flavour")
    ours = _ours(said.get("metadata"))
    found = _flavour(flavours, pickles=pickles, first=ours.engine if ours else "")
    if ours is not None:
        return msgspec.structs.replace(found, columns=ours.input_schema.names, ours=ours)
    columns, odd = _columns(said.get("signature"))
    if found.engine == "catboost":
        odd = "of CatBoost's models only those can be served that a project of drivetrain exported"
    if found.engine and odd:
        return Flavour(columns=columns, why_not=odd)
    return msgspec.structs.replace(found, columns=columns)


def _ours(said: object) -> Ours | None:
    told = said.get(OURS) if isinstance(said, dict) else None
    try:
        return None if told is None else _decoded(msgspec.json.encode(told))
    except (msgspec.ValidationError, TypeError):
        return None  # what it says is not ours, whatever it is called: its signature counts


def _flavour(flavours: Mapping[str, Any], *, pickles: bool, first: str) -> Flavour:
    for name, suffixes in sorted(_SUFFIXES.items(), key=lambda each: each[0] != first):
        if first == "sklearn" and "sklearn" in flavours:
            break
        about = flavours.get(name)
        if isinstance(about, dict):
            file = str(about.get("data", ""))
            if file.endswith(suffixes):
                return Flavour(engine=name, file=file)
            return Flavour(why_not=_pickled(name, file))
    about = flavours.get("sklearn")
    if isinstance(about, dict):
        file, form = str(about.get("pickled_model", "")), str(about.get("serialization_format", ""))
        if form == "skops":
            return Flavour(engine="sklearn", file=file)
        if pickles and _is_pickled(file, form):
            return Flavour(engine=PICKLE, file=file)
        return Flavour(why_not=_pickled("sklearn", file, form))
    names = ", ".join(sorted(str(name) for name in flavours)) or "none"
    return Flavour(
        why_not=f"its flavours are {names}; LightGBM, XGBoost, CatBoost, ONNX and scikit-learn as skops can be served"
    )


def _pickled(flavour: str, file: str, form: str = "") -> str:
    ways = {
        "lightgbm": "log the booster itself (model.booster_)",
        "xgboost": "log it as ubj or json",
        "sklearn": 'log it with serialization_format="skops", or let the project trust it ([models] trust_pickles)',
    }
    do = ways.get(flavour, "log the model itself")
    if _is_pickled(file, form):
        return f"it is a pickle, and opening one can run anything: {do}"
    return f"it is kept as {file or 'no file'}, which the {flavour} engine does not open: {do}"


def _is_pickled(file: str, form: str) -> bool:
    return form in _PICKLES or file.endswith((".pkl", ".pickle", ".joblib"))


def _columns(signature: object) -> tuple[tuple[str, ...], str]:
    """The names of a signature's columns, and why no server could fill them; neither where there is no signature."""
    text = signature.get("inputs") if isinstance(signature, dict) else None
    if not isinstance(text, str):
        return (), ""
    try:
        inputs = msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return (), "its signature can't be read"
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        return (), "its signature can't be read"
    if any(one.get("type") == "tensor" or "name" not in one for one in inputs):
        return (), "" if len(inputs) == 1 else "its signature names no columns"
    other = [str(one["name"]) for one in inputs if one.get("type") not in _NUMBERS]
    why = f"its columns {', '.join(other[:5])} are no numbers, and how it codes them is not known" if other else ""
    return tuple(str(one["name"]) for one in inputs), why

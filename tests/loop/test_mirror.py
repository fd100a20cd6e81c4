"""Runs told elsewhere: each once, written down before it is sent; a place that is away fails nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.loop.shop import copy_shop

from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, UsageError
from drivetrain.core.mirror import Mirrored
from drivetrain.core.progress import Silent
from drivetrain.core.records import Evaluation, ModelVersion
from drivetrain.loop.project import Project


class Place:
    """A mirror that writes down what it is told, and may be away."""

    def __init__(self) -> None:
        self.away, self.told, self.sent = "", [], []

    def __call__(self) -> Place:
        return self

    def write(self, run: Mirrored, folder: Path) -> None:
        self.told.append(run)
        assert all(Path(file).is_file() for file in run.files.values())
        (folder / "wandb").mkdir()

    def send(self, folder: Path, seconds: float) -> str:
        assert seconds <= 60
        if not self.away:
            self.sent.append(folder.name)
        return self.away


class Seen(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def finish(self, task: str, note: str = "") -> None:
        self.said[task] = note


@pytest.fixture
def place(monkeypatch):
    made, load = Place(), plugins.load
    monkeypatch.setattr(plugins, "load", lambda kind, name: made if kind == "mirror" else load(kind, name))
    return made


@pytest.fixture
def shop(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    with (folder / "drivetrain.toml").open("a") as file:
        file.write('[tracking]\nwandb = "returns-at-ours"\n')
    loaded = Project.load(folder)
    yield loaded
    loaded.store.close()


def test_a_run_is_told_once_with_all_that_it_said(shop, place):
    first, second = shop.tracking.mirror(), shop.tracking.mirror()
    assert (first.written, first.sent, first.waiting, str(first)) == (1, 1, 0, "1 runs told to W&B")
    assert (second.written, second.sent) == (0, 0)
    version = shop.store.catalog.get(ModelVersion, "returned@1")
    [told] = place.told
    assert (told.place, told.name, told.group, told.run_id) == (
        "returns-at-ours",
        "returned@1",
        "returned",
        version.run_id,
    )
    assert told.config["engine"] == version.engine
    assert {"card.html", "run.json", "evaluation.json", version.artifacts[0].name} <= set(told.files)
    judged = shop.store.catalog.get(Evaluation, version.run_id)
    assert told.summary == {f"test.{name}": measure.value for name, measure in judged.metrics.items()}
    assert place.sent == [version.run_id]


def test_a_place_that_is_away_is_said_in_a_line_and_told_the_next_time(shop, place):
    place.away = "no answer within 30 s"
    seen = Seen()
    began = time.monotonic()
    outcome = shop.run(at="2026-06-30", progress=seen)
    assert outcome.refused == ()
    assert seen.said["mirror"] == "0 runs told to W&B; 1 wait for the next run: no answer within 30 s"
    assert time.monotonic() - began < 60
    place.away = ""
    shop.run(at="2026-06-30", progress=seen)
    assert seen.said["mirror"] == "1 runs told to W&B"
    assert len(place.told) == 1


def test_what_is_not_installed_or_breaks_fails_no_run(shop, monkeypatch):
    load = plugins.load

    def broken(kind: str, name: str):
        if kind == "mirror":
            raise MissingExtra("the wandb adapter needs wandb", do='Run: pip install "drivetrain[wandb]"')
        return load(kind, name)

    monkeypatch.setattr(plugins, "load", broken)
    seen = Seen()
    shop.run(at="2026-06-30", progress=seen)
    assert seen.said["mirror"].startswith("runs are not told to W&B: the wandb adapter needs wandb")


def test_unless_it_is_asked_for_nothing_is_told(made_shop, place, tmp_path):
    project = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    seen = Seen()
    project.run(at="2026-06-30", progress=seen)
    assert "mirror" not in seen.said
    assert place.told == []
    with pytest.raises(UsageError, match="nowhere to mirror runs to"):
        project.tracking.mirror()
    project.store.close()

"""A run and its model from a tracking server into the catalog, through the gates, and back: equal to the bit, once."""

from __future__ import annotations

import json

import pytest
from tests.loop.shop import command, copy_shop

from drivetrain.adapters.mlflow.server import MlflowServer
from drivetrain.core import plugins
from drivetrain.core.errors import RefusedError, StoreError, UnknownName, UsageError
from drivetrain.core.records import Decision, LoggedModel, RegisteredVersion, Run
from drivetrain.loop.mlflow import inward, outward
from drivetrain.loop.project import Project
from drivetrain.loop.versions import version_named
from drivetrain.registry.load import load_engine
from drivetrain.registry.tracking import experiments, files, taken
from drivetrain.testing.kill import run_killed
from web.mlflow.conftest import run as client

pytestmark = pytest.mark.services
WHY = "it was trained on the cluster"
NAME = "returned"


@pytest.fixture
def shop(made_shop, tmp_path):
    loaded = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    yield loaded
    loaded.store.close()


@pytest.fixture(scope="module")
def given(peer, mlflow_python, made_shop, tmp_path_factory):
    """What a client logged at the peer, and what it says that a reader must find."""
    project = Project.load(copy_shop(made_shop, tmp_path_factory.mktemp("given") / "shop"))
    frame = project.training_set()
    columns = [name for name in project.models[NAME].feature_names() if frame.schema[name].is_numeric()]
    project.store.close()
    return json.loads(client(mlflow_python, "gives", peer, json.dumps(columns), NAME).splitlines()[-1])


def history(server: MlflowServer, run_id: str, name: str) -> list[tuple[int, int, str]]:
    asked = {"run_id": run_id, "metric_key": name, "max_results": 10_000}
    points = server.get("metrics/get-history", asked)["metrics"]
    return [(int(one.get("step", 0)), int(one["timestamp"]), float(one["value"]).hex()) for one in points]


def test_there_and_back_to_the_bit(peer, given, shop, mlflow_python):
    done = shop.versions.from_mlflow(f"models:/{NAME}@best", peer, because=WHY)
    assert (done.run_id, done.experiment, done.there) == (given["run"], "elsewhere / ß", False)
    assert (done.model, done.version, done.servable, done.points) == (NAME, 2, "lightgbm", 1503)

    run = shop.store.catalog.get(Run, given["run"])
    assert (run.status, run.tracked.name) == ("done", "by hand")
    assert run.parameters == {"num_leaves": "7", "note": "é" * 500}
    tags = shop.store.run_log.tags([run.run_id])[run.run_id]
    assert (tags["team"], tags["a b"]) == ("returns", "x%y")
    for name, points in given["histories"].items():
        found = shop.store.run_log.history(run.run_id, name)
        assert sorted([one.step, one.at // 1000, one.value.hex()] for one in found) == sorted(points)
    root = f"{run.tracked.experiment}/{run.run_id}/artifacts"
    assert files.read(shop.store, root, "notes/deep/words ü.txt") == b"one\ntwo\n"
    assert files.read(shop.store, root, "empty.txt") == b""

    judged = shop.tracking.judge(NAME, 2)
    engine = load_engine(shop.store, judged)
    assert [float(engine.predict_row(row)).hex() for row in given["rows"]] == given["said"]
    assert "import" in {one.what for one in shop.store.catalog.find(Decision, f"run:{run.run_id}")}

    told = shop.versions.to_mlflow(f"{NAME}@2", peer, experiment="back again", aliases=["returned-home"])
    assert (told.registered, told.aliases, told.there) == (NAME, ("returned-home",), False)
    server = MlflowServer(peer)
    for name, points in given["histories"].items():
        assert sorted(map(list, history(server, told.run_id, name))) == sorted(points)
    said = client(mlflow_python, "takes", peer, json.dumps(given["rows"]), f"models:/{NAME}@returned-home")
    taken_back = json.loads(said.splitlines()[-1])
    assert (taken_back["said"], taken_back["own"]) == (given["said"], "Booster")
    server.close()


def test_done_again_nothing_is_done(peer, given, shop):
    shop.versions.from_mlflow(f"models:/{NAME}@best", peer, because=WHY)
    revision = shop.store.catalog.revision()
    again = shop.versions.from_mlflow(f"models:/{NAME}@best", peer, because=WHY)
    assert (again.there, again.version, again.points) == (True, 2, 1503)
    assert shop.store.catalog.revision() == revision
    first = shop.versions.to_mlflow(1, peer, experiment="twice")
    second = shop.versions.to_mlflow(1, peer, experiment="twice")
    assert (second.run_id, second.number, second.there) == (first.run_id, first.number, True)


def test_our_own_version_comes_back_with_its_categories(peer, made_shop, shop, tmp_path):
    told = shop.versions.to_mlflow(1, peer, experiment="ours")
    other = Project.load(copy_shop(made_shop, tmp_path / "other"))
    done = other.versions.from_mlflow(f"models:/{NAME}/{told.number}", peer, because=WHY)
    judged = other.tracking.judge(NAME, done.version)
    own = other.store.catalog.get(type(judged), f"{NAME}@1")
    assert judged.input_schema == own.input_schema
    assert judged.input_schema.category_positions
    rows = [[float(at % 3), *[at / 7] * (len(own.input_schema.names) - 1)] for at in range(20)]
    theirs, ours = (load_engine(other.store, one) for one in (judged, own))
    assert [theirs.predict_row(row) for row in rows] == [ours.predict_row(row) for row in rows]
    metrics = shop.store.catalog.get(Run, own.run_id).metrics
    server = MlflowServer(peer)
    for name, value in metrics.items():
        assert [point[2] for point in history(server, told.run_id, name)] == [float(value).hex()]
    server.close()
    other.store.close()


class Gone(Exception):
    """The server is."""


class Cut:
    """A server that is gone from its nth call on."""

    def __init__(self, server: MlflowServer, calls: int) -> None:
        self.server, self.left = server, calls

    def __getattr__(self, name: str):
        found = getattr(self.server, name)
        if not callable(found):
            return found

        def call(*arguments):
            self.left -= 1
            if self.left < 0:
                raise Gone
            return found(*arguments)

        return call


def test_cut_off_at_any_call_the_export_goes_on_and_comes_once(desk, shop):
    version = version_named(shop, 1)
    server, ended = MlflowServer(desk), None
    for calls in range(60):
        try:
            ended = outward._Export(shop, version, Cut(server, calls), "in pieces").told(("cut",))
            break
        except Gone:
            continue
    assert ended is not None
    assert calls > 8
    experiment = server.get("experiments/get-by-name", {"experiment_name": "in pieces"})["experiment"]
    found = server.call("POST", "runs/search", {"experiment_ids": [experiment["experiment_id"]]})["runs"]
    assert [one["info"]["status"] for one in found] == ["FINISHED"]
    where = {"filter": f"run_id = '{ended.run_id}'"}
    assert len(server.get("model-versions/search", where)["model_versions"]) == 1
    for metric in found[0]["data"]["metrics"]:
        assert len(history(server, ended.run_id, metric["key"])) == 1
    server.close()


def test_cut_off_at_any_call_the_import_goes_on_and_comes_once(desk, shop, made_shop, tmp_path):
    told = shop.versions.to_mlflow(1, desk, experiment="to be cut")
    other = Project.load(copy_shop(made_shop, tmp_path / "other"))
    server, done = MlflowServer(desk), None
    for calls in range(60):
        cut = Cut(server, calls)
        try:
            done = inward._Import(other, cut, inward._wanted(cut, f"models:/{NAME}/{told.number}")).taken(
                None, WHY, "person"
            )
            break
        except Gone:
            pass
        run = other.store.catalog.get(Run, told.run_id)
        assert run is None or run.status == "running"
    assert done is not None
    assert calls > 8
    assert len(other.store.catalog.find(RegisteredVersion, NAME)) == 1
    assert other.store.catalog.get(Run, told.run_id).status == "done"
    server.close()
    other.store.close()


TAKE = """
import sys
from drivetrain.loop.project import Project
from drivetrain.testing.kill import armed
project = Project.load(sys.argv[1])
project.store
armed()
project.versions.from_mlflow(sys.argv[2], sys.argv[3], because="killed")
"""


def test_killed_in_the_middle_of_an_import_the_next_one_does_the_rest(desk, shop, made_shop, tmp_path):
    told = shop.versions.to_mlflow(1, desk, experiment="to be killed")
    other = Project.load(copy_shop(made_shop, tmp_path / "other"))
    assert run_killed(TAKE, str(other.folder), told.run_id, desk, fsyncs=7).killed
    done = other.versions.from_mlflow(told.run_id, desk, because=WHY)
    assert not done.there
    assert other.versions.from_mlflow(told.run_id, desk, because=WHY).there
    run = other.store.catalog.get(Run, told.run_id)
    own = shop.store.catalog.get(Run, version_named(shop, 1).run_id)
    assert own.metrics.items() <= run.metrics.items()
    assert done.files >= 8
    other.store.close()


def test_what_is_not_there_or_somebody_elses_is_said(desk, shop):
    with pytest.raises(UnknownName, match="has no such thing"):
        shop.versions.from_mlflow("models:/nothing/1", desk, because=WHY)
    with pytest.raises(UsageError, match="not a name of what an MLflow server has"):
        shop.versions.from_mlflow("models:/", desk, because=WHY)
    with pytest.raises(UsageError, match="needs a reason"):
        shop.versions.from_mlflow("0" * 32, desk, because=" ")
    with pytest.raises(StoreError, match="does not answer"):
        shop.versions.to_mlflow(1, "http://127.0.0.1:9")
    told = shop.versions.to_mlflow(1, desk, experiment="taken already")
    mine = Run(at=1, run_id=told.run_id, model="mine", trainer="own", code="", environment="", status="failed")
    shop.store.catalog.commit(mine)
    with pytest.raises(RefusedError, match="is there already, and is another"):
        shop.versions.from_mlflow(told.run_id, desk, because=WHY)
    assert shop.store.catalog.get(Run, told.run_id) == mine
    assert taken.origin(shop.store, mine.ref) == ""
    assert experiments.by_name(shop.store, "taken already").deleted is None
    assert shop.store.catalog.find(LoggedModel) == []


class Nothing:
    """A server that answers, and says nothing."""

    address = "http://nothing.example"

    def __init__(self, address: str) -> None:
        assert address

    def get(self, *_: object) -> dict[str, object]:
        return {}

    find = call = get

    def close(self) -> None:
        """Has nothing to let go."""


def test_what_answers_and_is_no_mlflow_server_is_said(shop, monkeypatch):
    load = plugins.load
    monkeypatch.setattr(plugins, "load", lambda kind, name: Nothing if kind == "server" else load(kind, name))
    for ask in (
        lambda: shop.versions.from_mlflow("0" * 32, "http://nothing.example", because=WHY),
        lambda: shop.versions.to_mlflow(1, "http://nothing.example"),
    ):
        with pytest.raises(StoreError, match="is no MLflow server; found an answer without"):
            ask()
    assert shop.store.catalog.get(Run, "0" * 32) is None


def test_the_commands_say_the_same(desk, shop, made_shop, tmp_path):
    folder = shop.folder
    shop.versions.to_mlflow(1, desk, experiment="by command", aliases=["spoken"])
    assert (
        "It was there already." in command(folder, "export", "1", "--mlflow", desk, "--experiment", "by command").stdout
    )
    other = copy_shop(made_shop, tmp_path / "other")
    words = command(other, "import", f"models:/{NAME}@spoken", "--mlflow", desk, "--because", WHY).stdout
    assert f"drivetrain mlflow judge {NAME} 2" in " ".join(words.split())
    assert command(folder, "export", "1", "--output", "x.zip", "--mlmodel", "y", check=False).returncode == 2

"""A version to an MLflow server: its run with what it said, its files, and a registered version, each once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from drivetrain.core import clock, plugins
from drivetrain.core.errors import RefusedError, UsageError
from drivetrain.core.records import Metric, ModelVersion
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.mlflow.folder import Laid, laid_out
from drivetrain.loop.mlflow.speech import Server, millis, number, odd_answer, pairs
from drivetrain.loop.spoken import Spoken
from drivetrain.loop.versions import version_named

VERSION_TAG, RUN_TAG, PROJECT_TAG = "drivetrain.version", "drivetrain.run", "drivetrain.project"
"""Tags by which an exported run is found again."""

_PARAMETERS, _METRICS = 100, 1000
"""How many go in a batch."""
_LONGEST = 6_000
_ODD = re.compile(r"[^\w\-. /]")
_FOLDER = "model"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is on an MLflow server.

    Attributes:
        model: The model.
        version: Its number here.
        server: The server's address.
        experiment: The experiment's name there.
        run_id: The run's id there.
        registered: The registered model's name there; empty where the version has no form that MLflow loads.
        number: Its number there; 0 where there is none.
        aliases: Those that were pointed at it.
        files: How many files it has there.
        there: Whether all of it was there already.
        note: What whoever loads it must know; empty where there is nothing.
    """

    model: str
    version: int
    server: str
    experiment: str
    run_id: str
    registered: str = ""
    number: int = 0
    aliases: tuple[str, ...] = ()
    files: int = 0
    there: bool = False
    note: str = ""


def export_to_mlflow(
    project: Definitions, version: str | int, server: str, model: str | None, experiment: str | None,
    aliases: Sequence[str],
) -> Told:  # fmt: skip
    """See :meth:`Versions.to_mlflow`."""
    found = version_named(project, version, model)
    if any(not alias.strip() or "/" in alias for alias in aliases):
        raise UsageError("not an alias", found=", ".join(aliases), expected="a word such as champion")
    peer: Server = plugins.load("server", "mlflow")(server)
    try:
        return _Export(project, found, peer, experiment or project.name).told(tuple(aliases))
    except (KeyError, TypeError, ValueError) as error:
        raise odd_answer(peer, error) from None
    finally:
        peer.close()


class _Export:
    def __init__(self, project: Definitions, version: ModelVersion, server: Server, experiment: str) -> None:
        self._project, self._version, self._server, self._experiment = project, version, server, experiment
        self._spoken = Spoken(project, version)
        self._run = self._spoken.run

    def told(self, aliases: tuple[str, ...]) -> Told:
        """Everything, in an order in which what was cut off goes on: the run is finished last."""
        try:
            laid: Laid | None = laid_out(self._project, self._version)
            note = laid.note if laid else ""
        except RefusedError as error:
            laid, note = None, f"Not registered: {error}"
        info = self._found_run()
        there = info.get("status") == "FINISHED"
        files = self._files(laid)
        if not there:
            self._say(info["run_id"])
            held = dict(self._server.files(info["artifact_uri"]))
            for path, data in files.items():
                if held.get(path) != len(data):
                    self._server.send(info["artifact_uri"], path, io.BytesIO(data))
        number = 0
        if laid is not None:
            number = self._registered(info)
            for alias in aliases:
                said = {"name": self._version.model, "alias": alias, "version": str(number)}
                self._server.call("POST", "registered-models/alias", said)
        if not there:
            ended = millis(self._run.at) + int(self._run.seconds * 1000)
            stands = {"run_id": info["run_id"], "status": "FINISHED", "end_time": ended}
            self._server.call("POST", "runs/update", stands)
        return Told(
            model=self._version.model,
            version=self._version.version,
            server=self._server.address,
            experiment=self._experiment,
            run_id=info["run_id"],
            registered=self._version.model if number else "",
            number=number,
            aliases=aliases if number else (),
            files=len(files),
            there=there,
            note=note,
        )

    def _found_run(self) -> Mapping[str, Any]:
        """The run there: the one that was begun before, or a new one."""
        named = self._server.find("experiments/get-by-name", {"experiment_name": self._experiment})
        if named is None:
            made = self._server.call("POST", "experiments/create", {"name": self._experiment})
            experiment_id = str(made["experiment_id"])
        else:
            experiment_id = str(named["experiment"]["experiment_id"])
            if named["experiment"].get("lifecycle_stage") == "deleted":
                raise RefusedError(
                    f"experiment {self._experiment!r} is deleted on {self._server.address}",
                    do="Restore it there, or name another",
                )
        tags = {VERSION_TAG: self._version.key, RUN_TAG: self._version.run_id, PROJECT_TAG: self._project.name}
        where = " and ".join(f"tags.`{name}` = '{value}'" for name, value in list(tags.items())[1:])
        asked = {"experiment_ids": [experiment_id], "filter": where, "max_results": 1}
        runs = self._server.call("POST", "runs/search", asked).get("runs") or []
        if runs:
            return dict(runs[0]["info"])
        begun = {
            "experiment_id": experiment_id,
            "run_name": self._version.key,
            "start_time": millis(self._run.at),
            "tags": pairs({"mlflow.runName": self._version.key, **tags}),
        }
        return dict(self._server.call("POST", "runs/create", begun)["run"]["info"])

    def _say(self, run_id: str) -> None:
        """Parameters, metrics with their histories and tags; said again, they change nothing."""
        said = {name: value for name, value in self._spoken.parameters().items() if len(value) <= _LONGEST}
        parameters = pairs({_name(name): value for name, value in said.items()})
        for some in _pieces(parameters, _PARAMETERS):
            self._server.call("POST", "runs/log-batch", {"run_id": run_id, "params": some})
        points = [_point(point) for point in (*self._spoken.metrics(), *self._spoken.judged())]
        for some in _pieces(points, _METRICS):
            self._server.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": some})
        passed = "passed" if self._version.gates.passed else "refused"
        tags = pairs({**self._spoken.tags(), "drivetrain.gates": passed, "drivetrain.trainer": self._run.trainer})
        for some in _pieces(tags, _PARAMETERS):
            self._server.call("POST", "runs/log-batch", {"run_id": run_id, "tags": some})

    def _files(self, laid: Laid | None) -> dict[str, bytes]:
        """What goes along: the card, the records, and the model as MLflow loads it, or as its files are."""
        store, version, files = self._project.store, self._version, self._spoken.papers()
        if laid is not None:
            return files | {f"{_FOLDER}/{name}": data for name, data in laid.files.items()}
        return files | {f"files/{one.name}": store.blobs.get(one.digest) for one in version.artifacts}

    def _registered(self, info: Mapping[str, Any]) -> int:
        """The number of the version there, which is made where there is none of this run."""
        name, run_id = self._version.model, info["run_id"]
        if self._server.find("registered-models/get", {"name": name}) is None:
            self._server.call("POST", "registered-models/create", {"name": name})
        where = {"filter": f"name = '{name}' and run_id = '{run_id}'", "max_results": 1}
        known = self._server.get("model-versions/search", where).get("model_versions") or []
        if known:
            return int(known[0]["version"])
        said = {
            "name": name,
            "source": f"{info['artifact_uri']}/{_FOLDER}",
            "run_id": run_id,
            "tags": pairs({VERSION_TAG: self._version.key, PROJECT_TAG: self._project.name}),
            "description": f"{self._version.key} of project {self._project.name}, of {clock.iso(self._version.at)}",
        }
        return int(self._server.call("POST", "model-versions/create", said)["model_version"]["version"])


def _point(point: Metric) -> dict[str, Any]:
    return {"key": _name(point.key), "value": number(point.value), "timestamp": millis(point.at), "step": point.step}


def _name(name: str) -> str:
    """A name that MLflow takes: letters, digits, and ``_-. /``."""
    return _ODD.sub("_", name)[:250]


def _pieces(every: list[dict[str, Any]], most: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(every), most):
        yield every[start : start + most]

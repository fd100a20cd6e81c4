"""From an MLflow server into the catalog: a run with its histories and files, and the version that was made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from drivetrain.core import clock, plugins
from drivetrain.core.errors import RefusedError, UsageError
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Dataset, Decision, LoggedModel, Metric, RegisteredVersion, Run, Tracked, TrackedFile
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.mlflow.speech import Server, mapping, micros, odd_answer
from drivetrain.registry.tracking import files, runs, taken
from drivetrain.registry.tracking.place import change
from drivetrain.registry.tracking.runs import Status

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MODEL = re.compile(r"models:/([^/@]+)(?:/(\d{1,9})|@([\w-]{1,256}))")
_IN_MODELS = re.compile(r"(?:^models:/|/models/)(m-[A-Za-z0-9]{1,62})(?:/|$)")
_STATUSES: Mapping[str, Status] = {
    "SCHEDULED": "scheduled", "RUNNING": "running", "FINISHED": "done", "FAILED": "failed", "KILLED": "killed",
}  # fmt: skip
_PAGE, _BATCH = 10_000, 5_000
_IN_MEMORY = 8 << 20
_ABOUT = ("model_id", "dataset_name", "dataset_digest")


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A run, and perhaps a version, that was taken in from an MLflow server.

    Attributes:
        server: The server's address.
        run_id: The run's id, there and here.
        experiment: Its experiment's name.
        model: The registered model here; empty where a run was asked for.
        version: Its number here; 0 where there is none.
        servable: By which engine it could be served; empty where by none.
        why_not: Then, why.
        files: How many files the run and the model have.
        points: How many points its metrics have.
        there: Whether all of it was there already.
    """

    server: str
    run_id: str
    experiment: str
    model: str = ""
    version: int = 0
    servable: str = ""
    why_not: str = ""
    files: int = 0
    points: int = 0
    there: bool = False


class _Wanted(NamedTuple):
    """A run, and the version that is wanted of it, as the server tells of them."""

    run: Mapping[str, Any]
    version: Mapping[str, Any] | None


def import_from_mlflow(
    project: Definitions, named: str, server: str, model: str | None, because: str, actor: str
) -> Taken:
    """See :meth:`Versions.from_mlflow`."""
    if not because.strip():
        raise UsageError("taking something in needs a reason", do="Say why in a sentence")
    peer: Server = plugins.load("server", "mlflow")(server)
    try:
        return _Import(project, peer, _wanted(peer, named)).taken(model, because, actor)
    except (KeyError, TypeError, ValueError) as error:
        raise odd_answer(peer, error) from None
    finally:
        peer.close()


def _wanted(server: Server, named: str) -> _Wanted:
    """What a name stands for: a run's id, ``runs:/ID``, ``models:/NAME/3`` or ``models:/NAME@ALIAS``."""
    asked = _MODEL.fullmatch(named.strip())
    run_id = named.strip().removeprefix("runs:/")
    version = None
    if asked is not None:
        name, number, alias = asked.groups()
        path, query = "model-versions/get", {"name": name, "version": number}
        if alias:
            path, query = "registered-models/alias", {"name": name, "alias": alias}
        version = server.get(path, query)["model_version"]
        run_id = str(version.get("run_id") or "")
        if not run_id:
            raise RefusedError(f"{named} was registered without a run", do="Import the run that logged it")
    if not _ID.fullmatch(run_id):
        raise UsageError(
            "not a name of what an MLflow server has", found=repr(named[:120]),
            expected="a run's id, models:/NAME/3, or models:/NAME@ALIAS",
        )  # fmt: skip
    return _Wanted(server.get("runs/get", {"run_id": run_id})["run"], version)


class _Import:
    def __init__(self, project: Definitions, server: Server, wanted: _Wanted) -> None:
        self._project, self._place, self._server, self._wanted = project, project.store, server, wanted
        self._info: Mapping[str, Any] = wanted.run["info"]
        self._run_id = str(self._info["run_id"])
        self._source = f"mlflow:{server.address}/runs/{self._run_id}"

    def taken(self, model: str | None, because: str, actor: str) -> Taken:
        """Everything, in an order in which what was cut off goes on: the run stands as it stood there last."""
        place = self._place
        known = self._place.catalog.get(Run, self._run_id)
        status = _STATUSES.get(str(self._info.get("status")), "done")
        goes_on = status in {"scheduled", "running"}
        whole = known is not None and not goes_on and known.status == status
        whole = whole and taken.origin(place, f"{Run.kind}:{self._run_id}") == self._source
        experiment = self._server.get("experiments/get", {"experiment_id": self._info["experiment_id"]})["experiment"]
        experiment_id = taken.experiment(place, str(experiment["name"])).experiment_id
        if not whole:
            self._begin(experiment_id)
            points = self._said()
        else:
            points = sum(len(place.run_log.history(self._run_id, name)) for name in self._latest())
        run = runs.find(place, self._run_id)
        roots = [f"{runs.tracked_of(run).experiment}/{self._run_id}/artifacts"]
        if not whole:
            self._files(str(self._info["artifact_uri"]), roots[0])
            made = self._wanted.run.get("outputs", {}).get("model_outputs") or []
            roots += [self._logged(str(one["model_id"]), run, int(one.get("step") or 0)) for one in made]
        version = self._version(model, run)
        if not whole:
            self._finish(status, because, actor)
        return Taken(
            server=self._server.address,
            run_id=self._run_id,
            experiment=str(experiment["name"]),
            model=version.model if version else "",
            version=version.version if version else 0,
            servable=version.engine if version else "",
            why_not=version.unservable if version else "",
            files=sum(len(files.every(place, root)) for root in roots),
            points=points,
            there=whole,
        )

    def _begin(self, experiment_id: str) -> None:
        """The run's record; until all of it is here, it stands as under way."""
        info, said = self._info, self._wanted.run
        datasets = [_dataset(one) for one in said.get("inputs", {}).get("dataset_inputs") or []]
        run = Run(
            at=micros(info.get("start_time")) or clock.now(),
            run_id=self._run_id,
            model=str(self._server.address),
            trainer=runs.TRAINER,
            code="",
            environment="",
            tracked=Tracked(
                experiment=experiment_id,
                name=str(info.get("run_name") or self._run_id),
                user=str(info.get("user_id") or ""),
                datasets=tuple(datasets),
            ),
        )
        taken.begin_run(self._place, run, self._source)

    def _latest(self) -> list[str]:
        return [str(one["key"]) for one in self._wanted.run.get("data", {}).get("metrics") or []]

    def _said(self) -> int:
        """Parameters, tags and every point of every metric; how many points."""
        data, log = self._wanted.run.get("data", {}), self._place.run_log
        tags = {name: value for name, value in mapping(data.get("tags")).items() if name != "mlflow.log-model.history"}
        log.log(self._run_id, parameters=mapping(data.get("params")), tags=tags)
        count = 0
        for name in self._latest():
            waiting: list[Metric] = []
            for point in self._history(name):
                waiting.append(point)
                count += 1
                if len(waiting) == _BATCH:
                    log.log(self._run_id, waiting)
                    waiting = []
            if waiting:
                log.log(self._run_id, waiting)
        return count

    def _history(self, name: str) -> Iterator[Metric]:
        token = ""
        while True:
            asked = {"run_id": self._run_id, "metric_key": name, "max_results": _PAGE}
            page = self._server.get("metrics/get-history", {**asked, **({"page_token": token} if token else {})})
            for one in page.get("metrics") or []:
                about = {part: str(one[part]) for part in _ABOUT if one.get(part)}
                yield Metric(
                    key=name,
                    value=float(one.get("value", 0.0)),
                    step=int(one.get("step") or 0),
                    at=micros(one.get("timestamp")),
                    about=msgspec.json.encode(about).decode() if about else "",
                )
            token = str(page.get("next_page_token") or "")
            if not token:
                return

    def _files(self, address: str, root: str) -> None:
        """Files that are not here yet, or are of another length."""
        held = {one.path: one.size for one in self._place.catalog.find(TrackedFile, root) if not one.deleted}
        for path, size in self._server.files(address):
            if held.get(path) == size:
                continue
            with SpooledTemporaryFile(max_size=_IN_MEMORY) as kept:
                self._server.fetch(address, path, kept)
                kept.seek(0)
                files.keep(self._place, root, path, kept)

    def _version(self, model: str | None, run: Run) -> RegisteredVersion | None:
        """The version, where one was asked for: its files, and the next number here."""
        said = self._wanted.version
        if said is None:
            return None
        name = model or str(said["name"])
        source = f"mlflow:{self._server.address}/models/{said['name']}/{said['version']}"
        address = str(said.get("source") or "")
        within = _IN_MODELS.search(address)
        model_id = str(said.get("model_id") or "") or (within[1] if within else "")
        if model_id:
            self._logged(model_id, run)
            here = f"models:/{model_id}"
        else:
            here = f"runs:/{self._run_id}{self._folder(address)}"
        return taken.version(self._place, name, here, source, run_id=self._run_id, model_id=model_id)

    def _folder(self, address: str) -> str:
        """Where beneath the run's files a version's are."""
        own = str(self._info["artifact_uri"])
        if address.startswith(f"{own}/"):
            return address.removeprefix(own)
        if address.startswith(f"runs:/{self._run_id}/"):
            return address.removeprefix(f"runs:/{self._run_id}")
        raise RefusedError(
            "the files of the version are not those of its run",
            found=address,
            expected=f"an address beneath {own}, or a logged model's",
            do="Log the model to the server, and register it from there",
        )

    def _logged(self, model_id: str, run: Run, step: int = 0) -> str:
        """A logged model with its files; the root of these here."""
        known = self._place.catalog.get(LoggedModel, model_id)
        source = f"mlflow:{self._server.address}/logged-models/{model_id}"
        if known is not None and known.status == "ready" and taken.origin(self._place, known.ref) == source:
            return known.root
        told = self._server.get(f"logged-models/{model_id}")["model"]
        info, data = told["info"], told.get("data") or {}
        made = LoggedModel(
            at=micros(info.get("creation_timestamp_ms")) or clock.now(),
            model_id=model_id,
            experiment=runs.tracked_of(run).experiment,
            name=str(info.get("name") or model_id),
            model_type=str(info.get("model_type") or ""),
            run_id=self._run_id,
            updated=clock.now(),
            params=mapping(data.get("params")),
            tags=mapping(info.get("tags")),
        )
        taken.begin_model(self._place, made, source)
        self._files(str(info["artifact_uri"]), made.root)
        runs.add_outputs(self._place, self._run_id, [(model_id, step)])
        change(self._place, LoggedModel, model_id, lambda one: replace(one, status="ready", updated=clock.now()))
        return made.root

    def _finish(self, status: Status, because: str, actor: str) -> None:
        """The run stands as it stood there, and the timeline says who took it in, and why."""
        runs.update(self._place, self._run_id, status=status, ended=micros(self._info.get("end_time")) or None)
        self._place.catalog.commit(
            Decision(
                at=clock.now(),
                id=derived_id("import", self._source),
                about=f"run:{self._run_id}",
                what="import",
                because=f"run {self._run_id} was taken in from {self._server.address}: {because}",
                actor=actor,
                version=None,
                evidence=msgspec.json.encode({"source": self._source}).decode(),
            )
        )


def _dataset(said: Mapping[str, Any]) -> Dataset:
    told = said.get("dataset") or {}
    return Dataset(
        name=str(told.get("name", "")),
        digest=str(told.get("digest", "")),
        source_type=str(told.get("source_type", "")),
        source=str(told.get("source", "")),
        schema=str(told.get("schema", "")),
        profile=str(told.get("profile", "")),
        tags=mapping(said.get("tags")),
    )

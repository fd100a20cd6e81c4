"""What MLflow's clients logged and registered, and how a version of theirs becomes one that may serve."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import msgspec
import polars as pl
from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.errors import RefusedError, TrainingError
from drivetrain.core.hashing import digest
from drivetrain.core.ids import derived_id
from drivetrain.core.records import (
    Artifact,
    BiasReport,
    InputSchema,
    Link,
    ModelVersion,
    RegisteredVersion,
    Run,
    TableVersion,
    Task,
    TrackedExperiment,
)
from drivetrain.features.encoding import encode, schema_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.mirror import MirrorTold, mirror
from drivetrain.loop.model import Model
from drivetrain.loop.stages.judge import judge
from drivetrain.registry.tracking import experiments, files, flavours, runs, versions
from drivetrain.registry.tracking.looking import search_runs
from drivetrain.registry.tracking.runs import RunSaid
from drivetrain.train.artifacts import PICKLE, open_engine
from drivetrain.train.environment import environment_digest, packages

UNSEEN = (
    "It was trained elsewhere and registered by an MLflow client: whether it had seen the rows that it was judged on "
    "is not known here."
)
PICKLED = (
    "It loads a pickle: opening it runs code of its author, on every machine that serves it. The project says that it "
    "trusts it ([models] trust_pickles)."
)
_FORMATS = {"sklearn": "skops"}
"""Engine → format of its artifacts, where it is not the engine's name."""


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is listed.

    Attributes:
        run_id: Its id.
        name: Its name.
        experiment: Its experiment's name.
        status: How it stands.
        started: When, ISO 8601.
        user: Who.
        parameters: Name → value.
        metrics: Name → newest value.
    """

    run_id: str
    name: str
    experiment: str
    status: str
    started: str
    user: str
    parameters: dict[str, str]
    metrics: dict[str, float]


class Tracking:
    """Experiments, runs and versions that MLflow's clients made.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def experiments(self) -> list[TrackedExperiment]:
        """Every experiment that is not deleted, the newest first."""
        return [one for one in experiments.every(self._project.store) if one.deleted is None]

    def runs(
        self, experiment: str | None = None, *, filter: str = "", order_by: Sequence[str] = (), limit: int = 100
    ) -> list[RunInfo]:  # fmt: skip
        """Runs, the newest first.

        Args:
            experiment: The name of theirs; of every experiment by default.
            filter: In MLflow's language: ``metrics.auc > 0.8 and params.depth = '3'``.
            order_by: What to sort by: ``metrics.auc DESC``.
            limit: How many at most.

        Raises:
            UnknownName: There is no such experiment.
            UsageError: The filter or the order can't be read.
        """
        store = self._project.store
        of = self.experiments() if experiment is None else [experiments.by_name(store, experiment)]
        seen = [run for one in of for run in runs.of_experiment(store, one.experiment_id)]
        seen = [run for run in seen if runs.tracked_of(run).deleted is None]
        seen.sort(key=lambda run: -run.at)
        names = {one.experiment_id: one.name for one in of}
        found = search_runs(store, seen, filter, order_by)[:limit]
        return [_listed(said, names[said.tracked.experiment]) for said in runs.whole(store, found)]

    def versions(self, model: str | None = None) -> list[RegisteredVersion]:
        """Registered versions and the project's own, by model, the newest number first."""
        store = self._project.store
        return versions.every(store) if model is None else versions.of_model(store, model)

    def mirror(self) -> MirrorTold:
        """Tells the runs of all versions to Weights & Biases, each once: parameters, metrics, figures, card and files.

        ``drivetrain run`` does so by itself where ``[tracking] wandb`` names a project there. Each run is written down
        first, below the project's state, and sent when W&B can be reached.

        Raises:
            UsageError: No project there is named.
            MissingExtra: wandb is not installed.
            StoreError: A run can't be written down.
        """
        return mirror(self._project)

    def judge(self, model: str, version: int) -> ModelVersion:
        """Puts a version that a client registered to the gates of the declared model of that name.

        It is opened with the engine that would serve it, measured on the test window of the model's newest training set
        beside the champion, and becomes a version of the project under its own number, with a card; what its gates say
        holds as for any other. One that was judged is given as it is.

        Raises:
            UnknownName: No such model is declared, or no such version registered.
            RefusedError: The version can't be served here, or reads other columns than the model has; or there is no
                training set to judge it on.
            StoreError: Its file is missing, damaged, or no such model.
        """
        project, store = self._project, self._project.store
        declared = project.find_model(model)
        registered = versions.find(store, model, version)
        known = versions.judged(store, registered)
        if known is not None:
            return known
        found = _flavour(project, model, registered)
        if found.why_not:
            raise RefusedError(f"{model} v{version} can't be served: {found.why_not}")
        registered = replace(registered, engine=found.engine, file=found.file, columns=found.columns)
        table = next(iter(store.catalog.find(TableVersion, f"training/{model}", limit=1)), None)
        if table is None:
            raise RefusedError(f"{model} has no training set to judge v{version} on", do="Run: drivetrain run")
        run = _run(project, declared, registered, table, found.ours)
        _check_answers(project, run, store.tables.read(table.table, table.version))
        began = Link(registered.ref, run.ref, "registered")
        store.catalog.commit(run, links=[began, Link(table.ref, run.ref, "training_set")])
        looked = next((one for one in store.catalog.find(BiasReport, model) if one.data == table.ref), None)
        told = (UNSEEN, PICKLED) if found.engine == PICKLE else (UNSEEN,)
        known_of = dataclasses.replace(declared, limits=(*declared.limits, *told))
        _, judged = judge(project, known_of, run, table, bias=looked, number=version)
        return judged


def _listed(said: RunSaid, experiment: str) -> RunInfo:
    return RunInfo(
        run_id=said.run.run_id,
        name=said.tracked.name,
        experiment=experiment,
        status=said.run.status,
        started=clock.iso(said.run.at),
        user=said.tracked.user,
        parameters=said.parameters,
        metrics={name: metric.value for name, metric in said.metrics.items()},
    )


def _flavour(project: Definitions, model: str, registered: RegisteredVersion) -> flavours.Flavour:
    """What may serve a version, looked up anew: the project may trust its pickles by now, or not any more."""
    trusted = model in project.store.pickles
    if not registered.root:
        return flavours.Flavour(why_not=registered.unservable or "its files are not kept here")
    root, folder = files.parted(registered.root)
    return flavours.look(project.store, root, folder, pickles=trusted)


def _run(
    project: Definitions, model: Model, registered: RegisteredVersion, table: TableVersion, ours: flavours.Ours | None
) -> Run:  # fmt: skip
    """The run that a registered version stands for here: its file as the artifact, its columns as the schema."""
    frame = project.store.tables.read(table.table, table.version)
    root, folder = files.parted(registered.root)
    file = files.find(project.store, root, f"{folder}/{registered.file}".lstrip("/"))
    form = _FORMATS.get(registered.engine, registered.engine)
    artifact = Artifact(name=file.path.rpartition("/")[2], format=form, digest=file.digest, size=file.size)
    run = Run(
        at=clock.now(),
        run_id=derived_id("registered", registered.ref, file.digest),
        model=model.name,
        trainer=f"mlflow:{registered.engine}",
        status="done",
        code=digest([model.data_digest(), file.digest]),
        environment=environment_digest(packages()),
        inputs={"training_set": table.ref, "registered": registered.ref},
        input_schema=_schema(model, registered, frame, ours),
        task=Task() if ours is None else ours.task,
        artifacts=(artifact,),
    )
    logged = project.store.catalog.get(Run, registered.run_id) if registered.run_id else None
    return run if logged is None else replace(run, parameters=logged.parameters, metrics=logged.metrics)


def _schema(
    model: Model, registered: RegisteredVersion, frame: pl.DataFrame, ours: flavours.Ours | None
) -> InputSchema:
    """The columns that the version reads, each of which must be a feature: a number, or coded as is on record."""
    name, features = f"{model.name} v{registered.version}", model.feature_names()
    if not registered.columns:
        raise RefusedError(
            f"{name} does not say what it reads", do="Log the model with a signature: mlflow.models.infer_signature(…)"
        )
    other = [column for column in registered.columns if column not in features]
    if other:
        raise RefusedError(
            f"{name} reads columns that are no features of the model",
            found=", ".join(other[:5]),
            expected=", ".join(features),
            do="Train it on project.training_set(), whose columns have the features' names",
        )
    if ours is not None:
        odd = [field.name for field in ours.input_schema.fields if field.type not in {"number", "boolean", "category"}]
        if odd:
            raise RefusedError(
                f"{name} reads {odd[0]}, and what made a number of it is not in the model", found=odd[:5]
            )
        return ours.input_schema
    schema = schema_of(frame, registered.columns)
    words = [field.name for field in schema.fields if field.type == "category"]
    if words:
        raise RefusedError(f"{name} reads features that are text, and how it codes them is not known", found=words[:5])
    return schema


def _check_answers(project: Definitions, run: Run, frame: pl.DataFrame) -> None:
    """Makes sure that the model opens and answers one number a row, before anything is on record."""
    assert run.input_schema is not None, "made with one"
    trusted = run.model in project.store.pickles
    engine = open_engine(project.store.blobs, run.artifacts, run.input_schema, trusted=trusted)
    some = frame.head(8)
    shape = (len(some),) if run.task.outputs == 1 else (len(some), run.task.outputs)
    try:
        said = engine.predict(encode(some, run.input_schema))
    except (ValueError, TypeError, RuntimeError) as error:
        raise TrainingError(f"{run.artifacts[0].name} does not answer: {error}") from None
    if said.shape != shape:
        name, expected = run.artifacts[0].name, f"{run.task.outputs} numbers for each of {len(some)} rows"
        if run.task.outputs == 1:
            expected = f"one number for each of {len(some)} rows"
        raise RefusedError(f"{name} answers in another shape", found=said.shape, expected=expected)

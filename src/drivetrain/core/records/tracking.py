"""What training that runs elsewhere says of itself: its experiments, its models, and the files of both."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.records.base import Record

LoggedStatus: TypeAlias = Literal["pending", "ready", "failed"]
Stage: TypeAlias = Literal["None", "Staging", "Production", "Archived"]


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Data that a run read, as the run described them."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    tags: dict[str, str] = {}


class Tracked(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has that was logged from elsewhere, beyond what every run has.

    Its parameters, tags and metrics are in the run log while it is under way; the run's record has them as they were
    when it ended.
    """

    experiment: str
    """Id of its experiment."""
    name: str
    user: str = ""
    ended: Micros | None = None
    deleted: Micros | None = None
    """When it was set aside; none while it is active."""
    datasets: tuple[Dataset, ...] = ()
    read_models: tuple[str, ...] = ()
    """Ids of logged models that it read."""
    made_models: tuple[tuple[str, int], ...] = ()
    """Ids of logged models that it made, and the step of each."""


class TrackedExperiment(Record, frozen=True, kw_only=True):
    """Runs that belong together; an ``Experiment`` is another thing, a randomised comparison on an endpoint."""

    kind = "tracked_experiment"

    experiment_id: str
    name: str
    location: str
    """Where its runs' files go."""
    updated: Micros
    deleted: Micros | None = None
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        """The experiment's id."""
        return self.experiment_id

    @property
    def subject(self) -> str:
        """Its name."""
        return self.name


class TakenName(Record, frozen=True, kw_only=True):
    """A name that one thing of a sort has, so that two that want it at the same moment can't both get it."""

    kind = "taken_name"

    sort: str
    """``experiment`` for example."""
    name: str
    by: str
    """Whose it is; empty where it was given back."""

    @property
    def key(self) -> str:
        """``sort/name``."""
        return f"{self.sort}/{self.name}"

    @property
    def subject(self) -> str:
        """The sort."""
        return self.sort


class TrackedFile(Record, frozen=True, kw_only=True):
    """A file that was logged, kept as a blob."""

    kind = "tracked_file"

    root: str
    """Whose: ``<experiment>/<run>/artifacts``, or ``<experiment>/models/<model>/artifacts``."""
    path: str
    """Beneath it, with slashes."""
    digest: Digest
    size: int
    deleted: bool = False

    @property
    def key(self) -> str:
        """``root/path``."""
        return f"{self.root}/{self.path}"

    @property
    def subject(self) -> str:
        """The root."""
        return self.root


class LoggedModel(Record, frozen=True, kw_only=True):
    """A model as a run logged it: files beside its parameters and tags, with or without a name in the registry."""

    kind = "logged_model"

    model_id: str
    experiment: str
    name: str
    model_type: str = ""
    run_id: str = ""
    status: LoggedStatus = "pending"
    updated: Micros
    deleted: Micros | None = None
    params: dict[str, str] = {}
    tags: dict[str, str] = {}

    @property
    def root(self) -> str:
        """Where its files are, as :attr:`TrackedFile.root`."""
        return f"{self.experiment}/models/{self.model_id}/artifacts"

    @property
    def key(self) -> str:
        """The model's id."""
        return self.model_id

    @property
    def subject(self) -> str:
        """Id of its experiment."""
        return self.experiment


class RegisteredModel(Record, frozen=True, kw_only=True):
    """A name in the registry under which versions are numbered."""

    kind = "registered_model"

    name: str
    description: str = ""
    updated: Micros
    deleted: bool = False
    tags: dict[str, str] = {}
    aliases: dict[str, int] = {}
    """Alias → number; ``champion``, ``challenger`` and ``shadow`` are not here: they are the project's own."""
    last: int = 0
    """The highest number that was given; never given again."""

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def subject(self) -> str:
        """The name."""
        return self.name


class RegisteredVersion(Record, frozen=True, kw_only=True):
    """A version that a client registered. It becomes one that may serve when it is judged: a ``ModelVersion``."""

    kind = "registered_version"

    model: str
    version: int
    source: str
    """Where its files are, as the client said it."""
    root: str = ""
    """The root of its files here, and the folder in it; empty where they are elsewhere."""
    run_id: str = ""
    model_id: str = ""
    user: str = ""
    run_link: str = ""
    description: str = ""
    stage: Stage = "None"
    updated: Micros
    deleted: bool = False
    tags: dict[str, str] = {}
    engine: str = ""
    """Adapter that would serve it; empty where none may."""
    file: str = ""
    """The file that it would open, beneath ``root``."""
    columns: tuple[str, ...] = ()
    """Columns that its signature says it reads, in order; empty where it says none."""
    unservable: str = ""
    """Why it can't be served, in a sentence; empty where it can."""

    @property
    def key(self) -> str:
        """``model@version``."""
        return f"{self.model}@{self.version}"

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model

"""What is done with versions once they are there: exported and taken in, approved, traced to where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from drivetrain.core.clock import now
from drivetrain.loop.cleaning import Cleaned, clean
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.exchange import Exchanged, export_version, import_version
from drivetrain.loop.lineage import Lineage, lineage
from drivetrain.loop.mlflow.folder import Laid, write_folder
from drivetrain.loop.mlflow.inward import Taken, import_from_mlflow
from drivetrain.loop.mlflow.outward import Told, export_to_mlflow
from drivetrain.loop.stages.release import release
from drivetrain.loop.versions import version_named
from drivetrain.registry.approve import approve
from drivetrain.store.audit import user


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was approved.

    Attributes:
        model: The model.
        version: Its number.
        by: Who approved it.
        released: What became of it, in words.
    """

    model: str
    version: int
    by: str
    released: str


class Versions:
    """The versions of a project's models.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def export(self, version: str | int, path: str | Path, *, model: str | None = None) -> Exchanged:
        """Writes a version as one file: records, artifacts, card, reference profile and lineage, each with its digest.

        It is sealed with ``registry.signing_key`` where that is set. The tables that it was made of stay here; a model
        that can't explain itself takes some of its training rows along, which is put on record.

        Args:
            version: ``late@3``, or ``3`` where there is one model.
            path: The file; replaced if it is there.
            model: Which model, where the name does not say.

        Raises:
            UnknownName: There is no such version.
            UsageError: The file can't be there.
            StoreError: A blob is missing or damaged, or the file can't be written.
        """
        return export_version(self._project, version, path, model)

    def take(self, path: str | Path, *, because: str, actor: str = "person") -> Exchanged:
        """Takes in a version that another project exported, under its own number; once, however often it is asked.

        Every digest is checked, and seal and signature where ``registry.verify_key`` is set. No alias is moved.

        Args:
            path: The file.
            because: Why, in a sentence; kept for good.
            actor: Who.

        Raises:
            RefusedError: It is not whole, holds what it must not, or another version has its number.
            SignatureRefused: It is not sealed or signed with the key.
            UnknownName: Its model is not declared here.
            UsageError: No reason is given.
        """
        return import_version(self._project, path, because=because, actor=actor)

    def mlmodel(self, version: str | int, folder: str | Path, *, model: str | None = None) -> Laid:
        """Writes a version as a folder in MLflow's layout: ``mlflow.pyfunc.load_model(folder)`` opens it.

        Args:
            version: ``late@3``, or ``3`` where there is one model.
            folder: New, or empty.
            model: Which model, where the name does not say.

        Raises:
            UnknownName: There is no such version.
            UsageError: The folder holds something.
            RefusedError: MLflow has no flavour that opens it without running code that came along.
            StoreError: A blob is missing or damaged, or the folder can't be written.
        """
        return write_folder(self._project, version, folder, model)

    def to_mlflow(
        self, version: str | int, server: str, *, model: str | None = None, experiment: str | None = None,
        aliases: Sequence[str] = (),
    ) -> Told:  # fmt: skip
        """Brings a version to an MLflow server: its run with parameters, metrics, tags and files, and a version.

        Cut off at any instant, doing it again does the rest; done twice, it is there once. Who we are is told by
        MLflow's own variables: ``MLFLOW_TRACKING_USERNAME`` and ``_PASSWORD``, or ``MLFLOW_TRACKING_TOKEN``.

        Args:
            version: ``late@3``, or ``3`` where there is one model.
            server: Its address, such as ``http://127.0.0.1:5000``.
            model: Which model, where the name does not say.
            experiment: The experiment's name there; the project's by default.
            aliases: Those that are to point at it there.

        Raises:
            UnknownName: There is no such version.
            RefusedError: The server refuses what is asked, or who asks.
            StoreError: The server is away, or a blob is missing or damaged.
        """
        return export_to_mlflow(self._project, version, server, model, experiment, aliases)

    def from_mlflow(
        self, named: str, server: str, *, because: str, model: str | None = None, actor: str = "person"
    ) -> Taken:
        """Takes a run in from an MLflow server, with histories and files; and the version, where one is named.

        The version is registered under the next number and not judged: ``project.tracking.judge`` puts it to the
        gates. Cut off at any instant, doing it again does the rest; no alias is moved.

        Args:
            named: A run's id, ``models:/NAME/3``, or ``models:/NAME@ALIAS``.
            server: Its address.
            because: Why, in a sentence; kept for good.
            model: What the registered model is called here; as there by default.
            actor: Who.

        Raises:
            UnknownName: The server has no such thing.
            RefusedError: The server refuses, or another run has that id here.
            StoreError: The server is away.
            UsageError: No reason is given.
        """
        return import_from_mlflow(self._project, named, server, model, because, actor)

    def approve(self, version: str | int, *, because: str, by: str | None = None, model: str | None = None) -> Approved:
        """Gives the approval that a version waits for, and releases it as any other: champion, or first its shadow.

        Args:
            version: ``late@3``, or ``3`` where there is one model.
            because: Why, in a sentence; kept for good.
            by: Who approves; by default whom the operating system says it is.
            model: Which model, where the name does not say.

        Raises:
            UnknownName: There is no such version.
            UsageError: No reason is given.
            RefusedError: It waits for somebody else, for nobody, or a gate that figures answer said no.
        """
        project = self._project
        found = version_named(project, version, model)
        who = by or user().partition("@")[0]
        waited = found.gates.waits
        made = approve(project.store, found.model, found.version, because=because, actor=who)
        released = release(project, project.find_model(made.model), made, now()) if waited else "it was approved before"
        return Approved(model=made.model, version=made.version, by=who, released=released)

    def clean(self, *, do: bool = False, because: str = "", logged: bool = False, actor: str = "person") -> Cleaned:
        """Removes artifacts of old versions, as ``keep`` says; their records stay, with a mark.

        Never of champion, challenger, shadow, the champion before, an experiment's arms; nor of versions that
        predictions in the logs name, unless ``logged``. Cut off at any instant, doing it again does the rest.

        Args:
            do: Whether it is done; else what would go is told.
            because: Why, in a sentence; kept for good.
            logged: Also of versions that predictions in the logs name.
            actor: Who.

        Raises:
            UsageError: It is to be done and no reason is given.
            StoreError: A blob can't be removed.
        """
        return clean(self._project, do=do, logged=logged, because=because, actor=actor)

    def lineage(self, version: str | int, *, model: str | None = None) -> Lineage:
        """Everything that a version was made of, and what came of it, as a graph.

        Args:
            version: ``late@3``, or ``3`` where there is one model.
            model: Which model, where the name does not say.
        """
        return lineage(self._project, version, model)

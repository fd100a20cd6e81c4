"""The project: everything declared under one name, and every command as a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from drivetrain.core.clock import Micros, micros_of
from drivetrain.core.progress import Progress
from drivetrain.core.records import Alias, Decision, Policy
from drivetrain.core.settings import Settings, load_settings
from drivetrain.experiment.policies import Asked
from drivetrain.loop import commands
from drivetrain.loop.alerting.alerts import Alerts
from drivetrain.loop.audit import Account as AuditAccount
from drivetrain.loop.audit import Sought, audit
from drivetrain.loop.contracts import Contracts
from drivetrain.loop.data import Data
from drivetrain.loop.declarations import Declarations
from drivetrain.loop.diff.diff import diff
from drivetrain.loop.diff.said import VersionDiff
from drivetrain.loop.doctor import doctor
from drivetrain.loop.features import GroupInfo, features
from drivetrain.loop.forget.forget import Forgotten, forget
from drivetrain.loop.history import LIMIT, History, history
from drivetrain.loop.keys import Keys
from drivetrain.loop.loading import load_file
from drivetrain.loop.model import Model
from drivetrain.loop.notebook import project_shown
from drivetrain.loop.plan import PlannedStep
from drivetrain.loop.privacy.privacy import Privacy
from drivetrain.loop.probes import ModelProbes
from drivetrain.loop.quarantine import Quarantine
from drivetrain.loop.report import account, report, write_report
from drivetrain.loop.reproduce.reproduce import TOLERANCE, reproduce
from drivetrain.loop.reproduce.said import Reproduced
from drivetrain.loop.routing import route
from drivetrain.loop.runner import Outcome
from drivetrain.loop.scoring.batch import Ask, Scored, predict_batch
from drivetrain.loop.scoring.features import FeatureSource
from drivetrain.loop.skew import skew
from drivetrain.loop.status import status
from drivetrain.loop.tokens import Tokens
from drivetrain.loop.trace import trace
from drivetrain.loop.tracking import Tracking
from drivetrain.loop.version_road import Versions
from drivetrain.loop.watch import watch
from drivetrain.monitor.reporting.account import Account
from drivetrain.monitor.reporting.data_account import DataAccount
from drivetrain.monitor.reporting.story import Story, tell


class Project(Declarations):
    """A model's whole production life under one name.

    Args:
        name: Short name, used in state and on the dashboard.
        objective: What the model is for, in a sentence a customer would recognise.
        metric: The figure that stands for the objective.

    Example:
        >>> import drivetrain as dt
        >>> project = dt.Project("flights", objective="Warn passengers early", metric="average_precision")
        >>> project.name
        'flights'
    """

    _repr_html_ = project_shown

    @classmethod
    def load(cls, folder: str | Path = ".", *, settings: Settings | None = None) -> Project:
        """The project declared in a folder's ``project.py``.

        Raises:
            ProjectError: There is none, it does not run, or it declares no project; the message names file and line.
            SettingsError: ``drivetrain.toml`` or the environment can't be used.
        """
        place = Path(folder).resolve()
        read = settings or load_settings(place)
        project = load_file(place / read.project, cls)
        project.folder = place
        project.settings = read
        return project

    def plan(self) -> list[PlannedStep]:
        """What :meth:`run` would do, and why; does nothing."""
        return commands.plan(self)

    def run(
        self, *, only: str | None = None, progress: Progress | None = None, at: Micros | str | None = None
    ) -> Outcome:
        """Brings everything up to date: ingests, computes features, trains, judges, registers, releases.

        Args:
            only: ``"data"`` to stop after tables and online features.
            progress: Who watches.
            at: The moment decisions are dated, where history is made up for; the present by default.
        """
        return commands.run(self, only=only, progress=progress, at=None if at is None else micros_of(at))

    def training_set(self, model: str | Model | None = None, at: Micros | str | None = None) -> pl.DataFrame:
        """What a model learns from: a row for every label, with the features as they were known at its moment.

        Rows out equal labels in. This is the road's own step: it is kept as a version of the table
        ``training/<model>`` with its lineage, and a training set that is on record already is read, not made again.

        Args:
            model: Which model, by name or as declared; not needed where there is one.
            at: The moment to stand at: labels that became known later are left out. By default all that the tables
                hold, which is what :meth:`run` trains on.

        Returns:
            ``_entity``, ``_at`` (moment of prediction), ``_label`` (null where there is none), ``_label_at`` (when the
            label became known), the request's columns, then every feature by its full name; in order of ``_at``.
            Tables are read as they are now: a row taken in after ``at`` counts if it says it was known by then.

        Raises:
            UnknownName: There is no such model, or a table it needs was never taken in.
            TrainingError: No label was known by then.
            StoreError: Another process is running this project, and the training set is not on record.
        """
        return commands.training_set(self, model, at=None if at is None else micros_of(at))

    def serve(self) -> None:
        """Serves every endpoint until the process is told to stop; a port in use is said before anything starts."""
        commands.serve(self)

    def watch(
        self,
        *,
        every: float = 30.0,
        looks: int | None = None,
        tell: Callable[[Decision], None] | None = None,
    ) -> None:
        """Takes in what is new and looks at the monitors every ``every`` seconds, for ever or ``looks`` times."""
        watch(self, commands.Glance(), every=every, looks=looks, tell=tell)

    def status(self) -> dict[str, Any]:
        """How tables, versions, endpoints and monitors stand."""
        return status(self)

    def report(
        self,
        endpoint: str | None = None,
        *,
        since: Micros | str | None = None,
        until: Micros | str | None = None,
        output: str | Path | None = None,
    ) -> Account | DataAccount:
        """What a monitor saw over a time, its alerts and what was decided: for two readers, words first.

        Args:
            endpoint: Which endpoint; not needed where there is one. Or what is watched without one: ``table:flights``.
            since: Start of the time; by default that of the first window.
            until: Its end, outside it; by default that of the last window.
            output: Where to write it: ``.html`` for one page without references to anything outside it, ``.json`` for
                every figure exactly.

        Raises:
            UnknownName: There is no such endpoint.
            UsageError: The time ends before it starts, or the file's ending says nothing.
            StoreError: It can't be written.
        """
        made = report(self, endpoint, since=since, until=until)
        if output is not None:
            write_report(made, output)
        return made

    def story(
        self, endpoint: str | None = None, *, since: Micros | str | None = None, until: Micros | str | None = None
    ) -> Story:
        """What an endpoint went through over a time: drift, figures, alerts, versions; in chapters, what led to what.

        Args:
            endpoint: Which endpoint; not needed where there is one.
            since: Start of the time; by default that of the first window.
            until: Its end, outside it; by default the present.

        Raises:
            UnknownName: There is no such endpoint.
            UsageError: The time ends before it starts.
        """
        return tell(account(self, endpoint, since=since, until=until))

    @property
    def data(self) -> Data:
        """What tables hold, ``project.data("flights")``, and say of groups, ``project.data.bias("late")``."""
        return Data(self)

    @property
    def probes(self) -> ModelProbes:
        """What was looked at beside an evaluation: ``project.probes.fairness("late")``."""
        return ModelProbes(self)

    def history(self, table: str, *, limit: int = LIMIT) -> History:
        """How a table came to be: what each batch brought, and how its columns have moved from version to version.

        Args:
            table: A source, or what a step made.
            limit: How many versions, newest first.

        Raises:
            UnknownName: There is no such table.
        """
        return history(self, table, limit=limit)

    def features(self, name: str | None = None) -> list[GroupInfo]:
        """Every feature view and function of the request: what each feature is, whose, how fresh, how its values lie.

        Args:
            name: Only the view or function of that name.

        Raises:
            UnknownName: Nothing of that name is declared.
        """
        return features(self, name)

    def predict(
        self, endpoint: str | None, instances: Sequence[Mapping[str, Any]], *, at: Micros | str | None = None
    ) -> dict[str, Any]:
        """Asks the running endpoint; its answer as it came."""
        return commands.predict(self, endpoint, instances, at=None if at is None else micros_of(at))

    def predict_batch(
        self,
        endpoint: str | None,
        input: str | Path,
        output: str | Path,
        *,
        at: Micros | str | None = None,
        features: FeatureSource = "online",
        version: int | None = None,
        skip_bad: bool = False,
        progress: Progress | None = None,
    ) -> Scored:
        """Scores a file: every row gets what the endpoint would answer it, at the row's own moment.

        The file is read, scored and written in batches: memory does not grow with it. The output is there whole or not
        at all. What is scored so is not in the prediction log.

        Args:
            endpoint: Which endpoint; not needed where there is one.
            input: Parquet, CSV or JSON lines, by suffix. Its columns are the request's fields; a column ``at`` says the
                moment of each row; others are carried along.
            output: Parquet: the rows, with ``prediction`` (``prediction_0``, … for several classes), ``model_version``
                and ``at``.
            at: The moment of every row, where no column says it; the present by default.
            features: ``"online"`` reads views from the online rows as the endpoint does, ``"offline"`` joins them from
                the tables: exact for moments however long ago.
            version: Which version of the model; the champion by default.
            skip_bad: Whether rows that don't fit the request are left out and written to ``<output>.refused.parquet``
                with a ``reason``, instead of refusing the file.
            progress: Who watches.

        Raises:
            UsageError: A file can't be used by its name, or a column's name is one that the output makes.
            SourceError: The file can't be read, lacks a field, or has one of the wrong type.
            RefusedError: Rows don't fit the request; the message says how many and shows the first.
            FeatureError: A feature can't be computed from the rows.
            StoreError: The online store or the tables can't be read, or the output can't be written.
        """
        moment = None if at is None else micros_of(at)
        ask = Ask(
            input=Path(input), output=Path(output), at=moment, features=features, version=version, skip_bad=skip_bad
        )
        return predict_batch(self, endpoint, ask, progress=progress)

    def trace(self, prediction: str) -> dict[str, Any]:
        """The chain behind a prediction, from its request back to raw rows and commit, and on to its label.

        Args:
            prediction: A request's id, or ``id/row`` for one of its instances.
        """
        return trace(self, prediction)

    def skew(self, endpoint: str | None = None, *, since: Micros | str | None = None) -> dict[str, Any]:
        """Recomputes logged features offline, as of each request; counts what differs, by cause."""
        return skew(self, endpoint, since=None if since is None else micros_of(since))

    def diff(self, before: str | int, after: str | int, model: str | None = None) -> VersionDiff:
        """Two versions of a model: what went into each, how good they are, whom they answer otherwise, and why.

        Metrics and answers are compared on the same rows, those that neither version learned from where there are any,
        each version asked with the features that it knows. Values of personal columns are withheld.

        Args:
            before: The first: ``late@3``, or ``3`` where there is one model.
            after: The second.
            model: Which model, where the names do not say.

        Raises:
            UnknownName: There is no such model or version.
            UsageError: They are versions of two models.
        """
        return diff(self, before, after, model)

    def reproduce(
        self,
        version: str | int,
        *,
        model: str | None = None,
        anyway: bool = False,
        tolerance: float = TOLERANCE,
        progress: Progress | None = None,
    ) -> Reproduced:
        """Makes a version again from its record in a scratch run, and compares what comes of it; nothing is kept.

        The training set is made anew from the table versions on record, and fitted with the configuration, seed and
        number of threads on record. Artifacts are compared by their digests; where these differ, answers are.

        Args:
            version: ``late@3``, or ``3`` where there is one model.
            model: Which model, where the name does not say.
            anyway: Fit with what the project declares now, although that is not what the version was made by.
            tolerance: Largest difference of an answer that counts as the same, of one or of the largest answer.
            progress: Who watches.

        Raises:
            UnknownName: There is no such version.
            RefusedError: The project declares something else now, or the rows are gone; the message says what.
            TrainingError: It can't be fitted.
        """
        return reproduce(self, version, model=model, anyway=anyway, tolerance=tolerance, progress=progress)

    def promote(
        self, model: str | None, version: int, *, because: str, actor: str = "person", force: bool = False
    ) -> Alias:
        """Makes a version that passed its gates the champion; with ``force`` one that did not.

        What is forced is on record with what the gates had against it, in the timeline, the audit, and on the card.
        """
        return commands.promote(self, model, version, because=because, actor=actor, force=force)

    def rollback(self, model: str | None = None, *, because: str, actor: str = "person") -> Alias:
        """Brings the last champion back."""
        return commands.rollback(self, model, because=because, actor=actor)

    def route(
        self,
        endpoint: str | None,
        asked: Asked | None,
        *,
        because: str,
        actor: str = "person",
        at: Micros | None = None,
    ) -> Policy:
        """Sets who answers an endpoint's requests: a canary, a split, a bandit; ``None`` for the champion alone.

        Every worker follows within a second. The watch then moves it on: a canary grows, becomes champion or is ended,
        a bandit learns.
        """
        return route(self, self.find_endpoint(endpoint), asked, because=because, actor=actor, at=at)

    def tick(self, now: Micros, *, progress: Progress | None = None) -> list[Decision]:
        """One look of the monitors as of ``now``, and what follows from it; what :meth:`watch` repeats."""
        return commands.tick(self, now, progress=progress)

    def replay(
        self,
        endpoint: str | None = None,
        *,
        since: Micros | str,
        until: Micros | str,
        compare: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Plays the declared traffic against the live endpoint, day after day in compressed time.

        Args:
            endpoint: Which one; not needed where there is one.
            since: First day.
            until: The day after the last.
            compare: Sets of rules of its monitor: ``declared``, ``static``, or alternatives. With them, nothing is
                asked of the live endpoint: each set is played in a copy of the project, and what they cost and were
                worth is compared.
            progress: Who watches.
        """
        span = (micros_of(since), micros_of(until))
        if compare:

            def load(folder: Path, settings: Settings) -> Project:
                return type(self).load(folder, settings=settings)

            return commands.compare_rules(self, endpoint, compare, span, load=load, progress=progress)
        return commands.replay(self, endpoint, *span, progress=progress)

    @property
    def alerts(self) -> Alerts:
        """Alerts: listed, acknowledged, ended, silenced; and how good they were."""
        return Alerts(self)

    @property
    def versions(self) -> Versions:
        """Versions once they are there: exported and taken in, approved, cleaned, traced to where they come from."""
        return Versions(self)

    @property
    def tokens(self) -> Tokens:
        """The tokens that the inference server takes: made, listed and revoked."""
        return Tokens(self)

    @property
    def tracking(self) -> Tracking:
        """What MLflow's clients logged and registered: experiments, runs, versions; and putting those to the gates."""
        return Tracking(self)

    @property
    def keys(self) -> Keys:
        """The keys that versions are signed with and must be signed with: made, and used on versions of before."""
        return Keys(self)

    @property
    def contracts(self) -> Contracts:
        """Contracts: drafted from data, held against rows anywhere, exported."""
        return Contracts(self)

    @property
    def quarantine(self) -> Quarantine:
        """Rows that contracts have set aside: listed, shown, brought back after a fix, dropped."""
        return Quarantine(self)

    def forget(
        self,
        entity: str,
        key: str,
        *,
        dry_run: bool = False,
        retrain: bool = False,
        because: str = "the subject asked for it",
        actor: str = "person",
        progress: Progress | None = None,
    ) -> Forgotten:
        """Erases one subject: tables and their old versions, features, online rows, logs, quarantine and statistics.

        It is proven by a search through every file of the state, and kept on record without the key. Rows of the
        subject from before this moment are left out when a source brings them again. A server may run meanwhile; a
        :meth:`run` may not. Cut off at any instant, calling it again does the rest.

        Args:
            entity: What the subject is: an entity that a feature view describes.
            key: Its key; parts of one of several columns are parted by ``|``.
            dry_run: Only say what would go.
            retrain: Whether champions that learned from the subject are trained anew, at the next look of their
                monitors.
            because: Why, for the record.
            actor: Who asked, for the record.
            progress: Who watches.

        Raises:
            UnknownName: No view describes such an entity.
            UsageError: The key does not fit its columns.
            StoreError: Another process is running this project, or something can't be written; call it again.
        """
        return forget(
            self,
            entity,
            key,
            dry_run=dry_run,
            retrain=retrain,
            because=because,
            actor=actor,
            progress=progress,
        )

    def audit(
        self,
        about: str | None = None,
        *,
        what: str | None = None,
        who: str | None = None,
        skip: int = 0,
        limit: int | None = None,
        verify: bool = False,
        head: str | None = None,
    ) -> AuditAccount:
        """Who did what, when, to what: every change, and every read of personal data through drivetrain.

        Args:
            about: Only what was done to this table, model or endpoint.
            what: Only this: ``promote``, ``run``, ``table``; ``read`` for every read of personal data.
            who: Only what this user of the operating system did, or whom the record names.
            skip: How many of them to leave out first.
            limit: How many entries, newest first; all by default.
            verify: Whether the chain of digests is checked, and every record against its entry.
            head: Digest of an entry that was noted earlier; it must be there. Implies ``verify``.
        """
        sought = Sought(about=about, what=what, who=who)
        return audit(self, sought, skip=skip, limit=limit, check=verify, head=head)

    @property
    def privacy(self) -> Privacy:
        """The project's personal data: looked for, and reported."""
        return Privacy(self)

    def doctor(self) -> list[dict[str, Any]]:
        """Checks what the project stands on; each finding says what to do."""
        return doctor(self)

"""What the pages read and the few things they may do; a loaded project satisfies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from drivetrain.core.protocols import Blobs, Catalog, RunLog
from drivetrain.core.settings import Settings
from drivetrain.data.source import Source
from drivetrain.features.derived import DerivedView
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.loop.alerting.alerts import Alerts
from drivetrain.loop.audit import Account as AuditAccount
from drivetrain.loop.data import TableFigures
from drivetrain.loop.diff.said import VersionDiff
from drivetrain.loop.history import LIMIT, History
from drivetrain.loop.privacy.privacy import Privacy
from drivetrain.loop.quarantine import Quarantine
from drivetrain.monitor.reporting.account import Account
from drivetrain.monitor.reporting.data_account import DataAccount
from drivetrain.monitor.reporting.story import Story
from drivetrain.monitor.tables.spec import DataMonitor


class TableReader(Protocol):
    """The reading half of the table store."""

    def scan(self, name: str, version: int | None = None) -> pl.LazyFrame:
        """A table's rows, lazily; the newest version unless one is named."""
        ...

    def version(self, name: str) -> int | None:
        """The newest version, or none where there is no such table."""
        ...

    def names(self) -> list[str]:
        """Every table there is."""
        ...


class Shelf(Protocol):
    """The parts of the store that pages read."""

    @property
    def catalog(self) -> Catalog:
        """Records and links."""
        ...

    @property
    def tables(self) -> TableReader:
        """Rows."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Model cards, and files that runs logged."""
        ...

    @property
    def run_log(self) -> RunLog:
        """What runs say of themselves."""
        ...

    @property
    def pickles(self) -> frozenset[str]:
        """Models whose pickles the project trusts."""
        ...


class PlannedStep(Protocol):
    """One line of a plan."""

    @property
    def name(self) -> str:
        """For example ``ingest:flights``."""
        ...

    @property
    def due(self) -> bool:
        """Whether a run would execute it."""
        ...

    @property
    def why(self) -> str:
        """What is out of date, or that nothing is."""
        ...


class Desk(Protocol):
    """A project as the pages see it.

    Of ``models``, ``endpoints`` and ``monitors`` the pages read the names only, and of an endpoint its model's name.
    """

    @property
    def name(self) -> str:
        """The project's name."""
        ...

    @property
    def objective(self) -> str:
        """What the business wants of it, in a sentence."""
        ...

    @property
    def metric(self) -> str:
        """The metric that stands for the objective."""
        ...

    @property
    def store(self) -> Shelf:
        """Where its state is."""
        ...

    @property
    def settings(self) -> Settings:
        """Its settings."""
        ...

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where raw rows come from."""
        ...

    @property
    def views(self) -> Mapping[str, FeatureView]:
        """Feature views."""
        ...

    @property
    def requests(self) -> Mapping[str, RequestFeatures]:
        """Features computed from the request."""
        ...

    @property
    def derived(self) -> Mapping[str, DerivedView]:
        """Features made from other features."""
        ...

    @property
    def models(self) -> Mapping[str, Any]:
        """Models."""
        ...

    @property
    def endpoints(self) -> Mapping[str, Any]:
        """Endpoints."""
        ...

    @property
    def monitors(self) -> Mapping[str, Any]:
        """Monitors."""
        ...

    @property
    def watched(self) -> Mapping[str, DataMonitor]:
        """Tables and feature views that are watched without an endpoint."""
        ...

    def trace(self, prediction_id: str, /) -> Mapping[str, Any]:
        """One prediction and what became of it.

        Args:
            prediction_id: A request's id, or ``id/row``.

        Returns:
            ``prediction``: a :class:`~drivetrain.core.records.Prediction` as a mapping, with ``request`` as a mapping;
            ``features`` (optional): a sequence of mappings with ``name``, ``value`` and ``age_seconds``, else they are
            read from the prediction and the version's schema; ``policy`` (optional): why this version answered;
            ``shadow`` (optional): mappings with ``version`` and ``prediction``; ``feedback``: the
            :class:`~drivetrain.core.records.Feedback` as a mapping, or none.

        Raises:
            UnknownName: No prediction goes by that id.
        """
        ...

    def data(self, table: str, /, *, version: int | None = None, against: int | None = None) -> TableFigures:
        """What a version of a table holds, and what moved since another.

        Raises:
            UnknownName: There is no such table or version.
        """
        ...

    def history(self, table: str, /, *, limit: int = LIMIT) -> History:
        """How a table came to be, version by version.

        Raises:
            UnknownName: There is no such table.
        """
        ...

    @property
    def alerts(self) -> Alerts:
        """Alerts: listed, acknowledged, ended, silenced; and how good they were."""
        ...

    def report(self, endpoint: str, /, *, since: str | None = None, until: str | None = None) -> Account | DataAccount:
        """What a monitor saw over a time, its alerts and what was decided.

        Raises:
            UnknownName: There is no such endpoint.
            UsageError: The time ends before it starts, or can't be read.
        """
        ...

    def story(self, endpoint: str, /, *, since: str | None = None, until: str | None = None) -> Story:
        """What an endpoint went through over a time.

        Raises:
            UnknownName: There is no such endpoint.
            UsageError: The time ends before it starts, or can't be read.
        """
        ...

    @property
    def quarantine(self) -> Quarantine:
        """Rows that were set aside; who asks to see private values goes on record there."""
        ...

    @property
    def privacy(self) -> Privacy:
        """Personal data: where it is, and who read it."""
        ...

    def audit(
        self,
        about: str | None = None,
        /,
        *,
        what: str | None = None,
        who: str | None = None,
        skip: int = 0,
        limit: int | None = None,
        verify: bool = False,
        head: str | None = None,
    ) -> AuditAccount:
        """Who did what, when, to what, and whether that account is whole."""
        ...

    def diff(self, before: int, after: int, model: str, /) -> VersionDiff:
        """Two versions of a model, compared.

        Raises:
            UnknownName: There is no such version.
        """
        ...

    def plan(self) -> Sequence[PlannedStep]:
        """What a run would do, and why."""
        ...

    def status(self) -> Mapping[str, Any]:
        """The project's state in figures, as ``drivetrain status --json`` prints it."""
        ...

    def promote(self, model: str, version: int, /, *, because: str, actor: str) -> object:
        """Makes a version champion.

        Raises:
            GateRefused: Its gates did not pass.
            UnknownName: There is no such model or version.
        """
        ...

    def rollback(self, model: str, /, *, because: str, actor: str) -> object:
        """Makes the previous champion champion again.

        Raises:
            UsageError: There is none to go back to.
        """
        ...

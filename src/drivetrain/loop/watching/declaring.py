"""Declares what is watched without an endpoint."""

from __future__ import annotations

from typing import Any

from drivetrain.core.errors import ProjectError
from drivetrain.data.source import Source
from drivetrain.features.view import FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.tables.spec import FEATURES, TABLE, DataMonitor


class Watches(Definitions):
    """The methods that declare watches of tables and feature views."""

    def watch_table(self, table: Source | str, **watched: Any) -> DataMonitor:  # noqa: ANN401 - fields of DataMonitor
        """Declares that a table is watched, whether or not an endpoint reads it.

        For each window of event time that has ended, the watch holds the table's rows against those of windows before:
        how many, how new, how many refused; the schema; and each column's nulls, range, categories and distribution.
        What breaks a rule opens an alert; nothing is retrained for it.

        Args:
            table: A source, or the name of its table or of one that a step made.
            **watched: The fields of :class:`DataMonitor`: ``window``, ``reference``, ``drift``, ``columns``, …

        Raises:
            ProjectError: It can't be as declared.

        Example:
            >>> import drivetrain as dt
            >>> project = dt.Project("shop")
            >>> orders = project.source("orders", dt.files("orders/*.csv"), key="id", time="at")
            >>> project.watch_table(orders, window="1d", reference="28d").watched
            'table:orders'
        """
        name = table if isinstance(table, str) else table.name
        return self._watch(DataMonitor(watched=f"{TABLE}{name}", table=name, **watched))

    def watch_features(self, view: FeatureView | str, **watched: Any) -> DataMonitor:  # noqa: ANN401 - as above
        """Declares that a view's features are watched, whether or not an endpoint reads them.

        For each window of event time that has ended, features of sampled pairs of entity and moment are computed as
        training sets are, and held against those of windows before. See :meth:`watch_table`.

        Args:
            view: A feature view with a source, or its name.
            **watched: The fields of :class:`DataMonitor`.

        Raises:
            ProjectError: There is no such view, or it can't be as declared.
        """
        name = view if isinstance(view, str) else view.name
        if name not in self.views:
            raise ProjectError(
                "features are watched of a view that is not declared",
                found=repr(name),
                expected=f"one of {', '.join(self.views) or 'none so far'}",
                do="Of a view made from others, watch those that it is made from" if name in self.derived else None,
            )
        return self._watch(DataMonitor(watched=f"{FEATURES}{name}", table=self.views[name].source.name, **watched))

    def _watch(self, made: DataMonitor) -> DataMonitor:
        if made.watched in self.endpoints:
            raise ProjectError(f"an endpoint is called {made.watched!r}", do="Give it another name")
        if made.watched in self.watched:
            raise ProjectError(f"{made.words} is watched twice", do="Say all that is watched of it in one declaration")
        self.watched[made.watched] = made
        return made

"""A project's personal data: looked for, reported."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.data.privacy.aggregate import Aggregate, Ask
from drivetrain.data.privacy.entities import entities
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.privacy.anonymity import Hidden, anonymity, asked_for
from drivetrain.loop.privacy.look import Looked, look
from drivetrain.loop.privacy.report import Report, report
from drivetrain.loop.privacy.spending import private_figure


class Privacy:
    """What a project knows of the personal data it has.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def scan(self, what: str, *, names: str | None = None) -> Looked:
        """Columns that look personal, with evidence and masked examples.

        Args:
            what: A source whose table is looked at, or a file: CSV, Parquet, JSON lines, Arrow, or plain text.
            names: A spaCy model that is installed, such as ``en_core_web_sm``: names of people and places are then
                looked for in text, by Presidio.

        Raises:
            UnknownName: There is no such source or file, or the source has no rows yet.
            SourceError: The file can't be read.
            MissingExtra: Presidio, or the model, is not installed.
        """
        return look(self._project, what, entities(names) if names else None)

    def anonymity(
        self,
        table: str,
        by: Sequence[str] = (),
        *,
        k: int = 5,
        sensitive: str | None = None,
        diversity: int = 1,
    ) -> Hidden:
        """How many rows of a table say the same of what others may know, and how much they differ in a column.

        Args:
            table: The table.
            by: Columns that others may know; by default what the table's contract declares as ``anonymous``.
            k: Rows that each group must have.
            sensitive: A column whose values must differ in each group.
            diversity: How many different ones it must have.

        Raises:
            UnknownName: There is no such table.
            UsageError: It has no such column, or nothing says which.
        """
        return anonymity(self._project, table, asked_for(list(by), k, sensitive, diversity) if by else None)

    def aggregate(self, table: str, ask: Ask) -> Aggregate:
        """A figure of a table with noise, so that it tells little of any one subject (differential privacy).

        What it costs is taken out of the table's budget first (``[privacy] epsilon`` and ``delta``), and on record in
        the audit; a figure that fails after that is paid for.

        Args:
            table: The table of a declared source.
            ask: Which figure.

        Raises:
            UnknownName: There is no such table.
            UsageError: It has no such column, or none of that kind.
            RefusedError: The table's budget is spent, or it is no declared source's: copies of the same subjects, such
                as a training set or quarantine, have no budget of their own.
            MissingExtra: ``pip install "drivetrain[dp]"``.
        """
        return private_figure(self._project, table, ask)

    def report(self) -> Report:
        """What personal data there is: where, why, how long, and who read it."""
        return report(self._project)

"""A project's personal data: looked for, reported."""

from __future__ import annotations

from drivetrain.loop.definitions import Definitions
from drivetrain.loop.privacy.look import Looked, look
from drivetrain.loop.privacy.report import Report, report


class Privacy:
    """What a project knows of the personal data it has.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def scan(self, what: str) -> Looked:
        """Columns that look personal, with evidence and masked examples.

        Args:
            what: A source whose table is looked at, or a file: CSV, Parquet, JSON lines, Arrow, or plain text.

        Raises:
            UnknownName: There is no such source or file, or the source has no rows yet.
            SourceError: The file can't be read.
        """
        return look(self._project, what)

    def report(self) -> Report:
        """What personal data there is: where, why, how long, and who read it."""
        return report(self._project)

"""Files of every format, as the suite of readers wants them."""

from __future__ import annotations

from tests.data.feeds import FileFeed

from drivetrain.testing.readers import ReaderConformance


class _FilesConformance(ReaderConformance):
    suffix: str
    budget_mib: float
    # A pattern that matches nothing any more is no error: what was read is in the table.
    can_vanish = False

    def feed(self, folder):
        return FileFeed(folder, self.suffix, self.budget_mib)


class TestCsv(_FilesConformance):
    suffix = ".csv"
    budget_mib = 0.024


class TestPackedCsv(_FilesConformance):
    suffix = ".csv.gz"
    budget_mib = 0.024


class TestJsonLines(_FilesConformance):
    suffix = ".jsonl"
    budget_mib = 0.04


class TestPackedJsonLines(_FilesConformance):
    suffix = ".jsonl.zst"
    budget_mib = 0.04


class TestParquet(_FilesConformance):
    suffix = ".parquet"
    budget_mib = 0.016


class TestArrow(_FilesConformance):
    suffix = ".arrow"
    budget_mib = 0.016


del _FilesConformance, ReaderConformance

"""Groups of one grouping, each beside everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from drivetrain.core.records import BiasGroup, Measure, MissingGap
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.bias.counting import LABEL, LEAST, Cells, Nulls, Rows, comparable
from drivetrain.evaluate.bias.groups import Grouping
from drivetrain.evaluate.bias.shares import Tally, difference, enough

LEVEL = 0.95
WORST = 5
"""Features told of each group: those whose nulls differ most."""


class Comparing:
    """The differences that a grouping gives rise to, and what comes of each.

    Args:
        rows: The rows.
        grouping: How they are told apart.
        expected: Share of the population, by group; none where it is not declared.
    """

    def __init__(self, rows: Rows, grouping: Grouping, expected: Sequence[float | None]) -> None:
        self._rows = rows
        self._grouping = grouping
        self._expected = expected
        self._taught = Cells(rows, grouping, rows.taught)
        label = rows.lacking.get(LABEL)
        self._sized = enough(self._taught.shares()[0], LEAST)
        self._every = self._taught if label is None else Cells(rows, grouping, label.among)

    def numbers(self) -> dict[str, int]:
        """How many differences of each kind there are."""
        return {
            "label rate": 0 if self._rows.positives is None else self._taught.comparisons,
            "missingness": sum(self._cells(column).comparisons for column in self._rows.lacking),
            "representation": sum(share is not None for share in self._expected) if self._sized else 0,
        }

    def groups(self, together: Mapping[str, int]) -> Iterator[BiasGroup]:
        """Every group, its differences among as many as hold together."""
        shares, rates = self._taught.shares(), self._rates()
        lacking = self._rows.lacking
        missing = [self._missing(column, nulls, together["missingness"]) for column, nulls in lacking.items()]
        for at, (share, rate, expected) in enumerate(zip(shares, rates, self._expected, strict=True)):
            gaps = [found for column in missing if (found := column[at])]
            known = rate is not None and enough(rate[0], LEAST)
            yield BiasGroup(
                attributes=self._grouping.named(at),
                rows=round(float(share.hits.sum())),
                share=share.measure(LEVEL),
                expected=expected,
                beyond=None
                if expected is None or not self._sized
                else _beyond(share, expected, together["representation"]),
                positives=round(float(rate[0].hits.sum())) if rate and known else None,
                rate=rate[0].measure(LEVEL) if rate and known else None,
                gap=difference(*rate, LEVEL, together["label rate"]) if rate and comparable(rate) else None,
                missing=tuple(sorted(gaps, key=lambda gap: -abs(gap.gap.value))[:WORST]),
            )

    def _rates(self) -> list[tuple[Tally, Tally] | None]:
        positives = self._rows.positives
        if positives is None:
            return [None] * len(self._expected)
        return self._taught.pairs(positives, self._rows.all(positives, self._rows.taught).correlation())

    def _missing(self, column: str, nulls: Nulls, together: int) -> list[MissingGap | None]:
        """Of each group, if it surely differs."""
        found: list[MissingGap | None] = []
        for pair in self._cells(column).pairs(nulls.marks, nulls.tally.correlation()):
            gap = difference(*pair, LEVEL, together) if pair and comparable(pair) else None
            found.append(MissingGap(column, pair[0].measure(LEVEL), gap) if pair and gap and sure(gap) else None)
        return found

    def _cells(self, column: str) -> Cells:
        return self._every if column == LABEL else self._taught


def _beyond(share: Tally, expected: float, together: int) -> Measure:
    low, high = share.bounds(LEVEL, together)
    return Measure(share.share - expected, low - expected, high - expected, round(share.count), LEVEL)

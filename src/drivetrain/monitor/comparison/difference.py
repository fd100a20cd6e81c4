"""What a comparison found: a statistic of a column, what chance alone does to it, and whether it is a word worth."""

from __future__ import annotations

import msgspec

from drivetrain.monitor.statistics.statistic import StatisticName
from drivetrain.monitor.texts.statistic import TextStatistic
from drivetrain.monitor.texts.words import Word


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One statistic of one column.

    Attributes:
        feature: The column.
        statistic: Its name.
        value: How far apart both sides are.
        effect: The value from which on it is worth a word.
        chance: What sampling alone exceeds with the stated rate, for this comparison by itself.
        p_value: Probability that chance alone does as much.
        corrected: The same, corrected for all comparisons of the report.
        drifted: Whether it is worth a word and chance does not explain it.
        null_share: Share of the window's rows without a value.
        reference_null_share: Share of the reference's.
        words: Of the words of texts: which surely rose and fell, those that moved most first.
    """

    feature: str
    statistic: StatisticName | TextStatistic
    value: float
    effect: float
    chance: float
    p_value: float
    corrected: float = 1.0
    drifted: bool = False
    null_share: float = 0.0
    reference_null_share: float = 0.0
    words: tuple[Word, ...] = ()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A window against a reference.

    Attributes:
        differences: One each column and statistic, in the columns' order.
        reference_rows: Rows of the reference.
        window_rows: Rows of the window.
        false_alarm: Probability that anything at all is called drifted when nothing changed.
        null: What was dealt by lot: ``rows``, or blocks of so many hours.
        notes: What was amiss with texts and vectors, in sentences.
    """

    differences: tuple[Difference, ...]
    reference_rows: int
    window_rows: int
    false_alarm: float
    null: str = "rows"
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> tuple[str, ...]:
        """Columns that any statistic calls drifted, each once."""
        return tuple(dict.fromkeys(each.feature for each in self.differences if each.drifted))

    def of(self, feature: str, statistic: str) -> Difference:
        """One of them.

        Raises:
            KeyError: It was not asked for.
        """
        for each in self.differences:
            if (each.feature, each.statistic) == (feature, statistic):
                return each
        raise KeyError((feature, statistic))

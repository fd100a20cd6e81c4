"""How a fraud detector is judged: the protocol of the handbook's chapters 3 and 4.

It learns from a week, waits a week until that week's outcomes are known, and is judged on the week after. Cards already
known to be compromised when a day begins are left out of that day: they would have been blocked. Beside ROC AUC and
average precision stands what investigators feel: of the cards they can call in a day, how many were compromised.

https://fraud-detection-handbook.github.io/fraud-detection-handbook (chapters "Baseline fraud detection system" and
"Precision top-k metrics").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.metrics import average_precision_score, roc_auc_score

from drivetrain.evaluate.ranking import Ranking

CARDS_A_DAY = 100
"""How many cards investigators can look into in a day."""
MEASURES = ("roc_auc", "average_precision", f"card_precision@{CARDS_A_DAY}")
REPLICATES = 500
"""How often cards are drawn for an interval."""


@dataclass(frozen=True)
class Weeks:
    """When it learns, waits and is judged; whole days from midnight UTC."""

    train_from: datetime = datetime(2018, 7, 25, tzinfo=UTC)
    train: timedelta = timedelta(days=7)
    delay: timedelta = timedelta(days=7)
    test: timedelta = timedelta(days=7)

    @property
    def train_until(self) -> datetime:
        """The first moment that is not learned from."""
        return self.train_from + self.train

    @property
    def test_from(self) -> datetime:
        """The first moment judged."""
        return self.train_until + self.delay

    @property
    def test_until(self) -> datetime:
        """The first moment no longer judged."""
        return self.test_from + self.test


HANDBOOK = Weeks()


def split(rows: pl.DataFrame, weeks: Weeks = HANDBOOK) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is learned from, and what is judged.

    A card is left out of a day of the test if a fraud with it, made since training began, was known when the day began.

    Args:
        rows: Transactions with ``time`` (UTC), ``customer_id`` and ``fraud``; other columns are kept.
        weeks: When.

    Returns:
        Rows of the training week, and rows of the test week without the cards known to be compromised.
    """
    since = rows.filter(pl.col("time") >= weeks.train_from)
    train = since.filter(pl.col("time") < weeks.train_until)
    compromised = since.filter("fraud").group_by("customer_id").agg(_first_fraud=pl.col("time").min())
    test = (
        since.filter(pl.col("time").is_between(weeks.test_from, weeks.test_until, closed="left"))
        .join(compromised, on="customer_id", how="left", maintain_order="left")
        .filter((pl.col("_first_fraud") >= pl.col("time").dt.truncate("1d") - weeks.delay).fill_null(value=True))
        .drop("_first_fraud")
    )
    return train, test


def card_precision(test: pl.DataFrame, score: npt.ArrayLike, *, cards: int = CARDS_A_DAY, blocks: bool = True) -> float:
    """Of the most suspicious cards of a day, the share that was compromised that day; the mean over days.

    A card is as suspicious as its most suspicious transaction of the day. Of equally suspicious cards the one with the
    smaller id is looked into first. The share is of ``cards`` even on a day with fewer.

    Args:
        test: Transactions with ``time`` (UTC), ``customer_id`` and ``fraud``.
        score: One per transaction; higher is more suspicious.
        cards: How many are looked into in a day.
        blocks: Whether a card found to be compromised is blocked and thus missing from the days after, as in the
            handbook.

    Example:
        >>> monday = datetime(2018, 8, 6, 12, tzinfo=UTC)
        >>> rows = pl.DataFrame({"time": [monday] * 3, "customer_id": [1, 1, 2], "fraud": [False, True, False]})
        >>> card_precision(rows, [0.9, 0.1, 0.5], cards=1), card_precision(rows, [0.1, 0.2, 0.5], cards=1)
        (1.0, 0.0)
    """
    blocked: set[int] = set()
    found = []
    for part in _by_suspicion(test, score).partition_by("day", maintain_order=True):
        looked_into = part.filter(~pl.col("customer_id").is_in(list(blocked))).head(cards)
        compromised = looked_into.filter("fraud")["customer_id"]
        found.append(len(compromised) / cards)
        if blocks:
            blocked.update(compromised)
    return float(np.mean(found))


def _by_suspicion(test: pl.DataFrame, score: npt.ArrayLike) -> pl.DataFrame:
    """Cards by day, the most suspicious first, and whether they were compromised that day."""
    return (
        test.select(pl.col("time").dt.truncate("1d").alias("day"), "customer_id", "fraud", score=np.asarray(score))
        .group_by("day", "customer_id")
        .agg(pl.col("score").max(), pl.col("fraud").any())
        .sort(["day", "score", "customer_id"], descending=[False, True, False])
    )


def measures(test: pl.DataFrame, score: npt.ArrayLike) -> dict[str, float]:
    """``roc_auc``, ``average_precision`` and ``card_precision@100`` of scores for the rows of a test."""
    fraud, scores = test["fraud"].to_numpy(), np.asarray(score)
    areas = float(roc_auc_score(fraud, scores)), float(average_precision_score(fraud, scores))
    return dict(zip(MEASURES, (*areas, card_precision(test, scores)), strict=True))


@dataclass(frozen=True)
class Figure:
    """A measure, or how much better one detector does by it than another, with its 95 % interval."""

    value: float
    low: float
    high: float


def figures(
    test: pl.DataFrame,
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike | None = None,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Figure]:
    """Each of :func:`measures`, or the gain of one detector over another by it, with 95 % intervals.

    Cards are drawn with replacement, each with all its payments, the same draws for both detectors: what one card's
    payments have in common is kept together, and what both find hard cancels out. Intervals are the percentiles of
    the draws; that the models could have come out otherwise on another training week is not in them.

    Args:
        test: As in :func:`card_precision`.
        ours: A score per row.
        theirs: Another, for the gain over it.
        replicates: How many draws.
        seed: Of the draws.
    """
    cards, codes = np.unique(test["customer_id"].to_numpy(), return_inverse=True)
    random = np.random.default_rng(seed)
    scores = [np.asarray(score, dtype=np.float64) for score in (ours, theirs) if score is not None]
    judges = [_Judge(test, codes, score) for score in scores]
    ones = np.ones(len(cards), dtype=np.int64)
    even = np.full(len(cards), 1 / len(cards))
    drawn = [ones, *random.multinomial(len(cards), even, size=replicates)]
    measured = np.array([[judge.measures(many) for judge in judges] for many in drawn])
    wanted = measured[:, 0] if theirs is None else measured[:, 0] - measured[:, 1]
    low, high = np.quantile(wanted[1:], [0.025, 0.975], axis=0)
    found = zip(wanted[0].tolist(), low.tolist(), high.tolist(), strict=True)
    return {name: Figure(*values) for name, values in zip(MEASURES, found, strict=True)}


class _Judge:
    """One detector's scores in order, so that measuring them under new weights costs no sort."""

    def __init__(self, test: pl.DataFrame, codes: npt.NDArray[np.intp], score: npt.NDArray[np.float64]) -> None:
        fraud = test["fraud"].to_numpy()
        self._ranking = Ranking(fraud.astype(np.float64), score)
        self._codes = codes[self._ranking.order]
        self._days = []
        looked_at = _by_suspicion(test.with_columns(customer_id=pl.Series(codes)), score)
        for day in looked_at.partition_by("day", maintain_order=True):
            self._days.append((day["customer_id"].to_numpy(), day["fraud"].to_numpy()))

    def measures(self, many: npt.NDArray[np.int64]) -> tuple[float, float, float]:
        """The three measures where card ``i`` is there ``many[i]`` times."""
        areas = self._ranking.areas(many[self._codes])
        there = many.copy()
        found = []
        for card, fraud in self._days:
            before = np.cumsum(there[card]) - there[card]
            looked_into = np.clip(CARDS_A_DAY - before, 0, there[card])
            found.append(looked_into[fraud].sum() / CARDS_A_DAY)
            there[card[fraud & (looked_into > 0)]] = 0
        return areas.roc_auc, areas.average_precision, float(np.mean(found))

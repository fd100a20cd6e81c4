"""What the reference profile keeps of a text: sums by day, from which no text and no rare word can be told.

Kept are the frequent words (those in a hundredth of the training texts or more, as sketches keep categories), in how
many texts of each day each came; and the sums of each day's random features. Days with fewer than five texts keep
nothing. Of texts whose words may not be named no word is kept, nor a digest of one: trying a dictionary finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import chi2_quantile
from drivetrain.monitor.statistics.jensen_shannon import jensen_shannon
from drivetrain.monitor.texts.fourier import SAMPLE, Fourier, Rows, apart, fourier_of
from drivetrain.monitor.texts.kinds import encoded
from drivetrain.monitor.texts.words import Cut, cut, may_be_named
from drivetrain.train.text.encoder import TextEncoder
from drivetrain.train.text.tokens import FORMAT as TOKENS

FREQUENT = 0.01
"""Share of texts that a word must come in to be kept."""
FEWEST = 5
"""Texts of a day, and texts with a word, below which nothing is kept of either."""
MOST_WORDS = 60
"""Frequent words at most that are kept: those in the most texts."""
_PAIRS = 64
_GROUPS = 64
_SPLITS = 200
SLOW = 2_000
"""Texts at most whose vectors a watch makes anew where that takes a pretrained model; some by even steps of more."""


class TextColumn(msgspec.Struct, frozen=True, kw_only=True):
    """What training texts looked like.

    Attributes:
        name: The feature's full name.
        named: Whether its words may be named.
        words: Its frequent words; none where they may not be named.
        counts: By day: in how many texts each of them came, then how many other words there were, then how many texts;
            little-endian int32, shape (days, words + 2).
        sums: By day: sums of random features, and of how many texts; little-endian float32, shape (days, features + 1).
            Empty where the encoder makes no vectors.
        columns: How many columns its encoder has.
        width: The kernel's.
        noise: Of ``words`` and ``mmd``: mean and variance of the square that sampling alone gives, for 1/n + 1/m = 1.
        nulls: Texts that were null, by day.
    """

    name: str
    named: bool
    words: tuple[str, ...]
    counts: bytes
    sums: bytes = b""
    columns: int = 0
    width: float = 1.0
    noise: dict[str, tuple[float, float]] = {}
    nulls: tuple[int, ...] = ()

    @property
    def counted(self) -> Floats:
        """:attr:`counts` as numbers."""
        return np.frombuffer(self.counts, "<i4").reshape(-1, len(self.words) + 2).astype(np.float64)

    @property
    def lying(self) -> Floats:
        """:attr:`sums` as numbers; no columns where there are none."""
        days = len(self.counts) // (4 * (len(self.words) + 2))
        return np.frombuffer(self.sums, "<f4").reshape(days, -1).astype(np.float64)

    @property
    def fourier(self) -> Fourier:
        """The random features: their directions are drawn again, the same from the same seed."""
        return fourier_of(np.zeros((0, self.columns)), _PAIRS, width=self.width)

    def worded(self, texts: Sequence[str | None]) -> Floats:
        """A window's texts as a row of :attr:`counts`."""
        found = cut(texts)
        cells = _cells(found, self.words)
        counts = np.bincount(cells, minlength=len(self.words) + 1).astype(np.float64)
        return np.append(counts, sum(text is not None for text in texts))

    def sampling(self, statistic: str, inverse_rows: float, alpha: float) -> float:
        """What sampling alone exceeds with probability ``alpha``, for 1/n + 1/m: a gamma with its mean and variance."""
        mean, variance = self.noise.get(statistic, (0.0, 0.0))
        if inverse_rows <= 0 or mean <= 0 or variance <= 0:
            return 0.0
        freedom = 2 * mean**2 / variance
        return float(np.sqrt(inverse_rows * variance / (2 * mean) * chi2_quantile(1 - alpha, freedom)))


class Kept(NamedTuple):
    """How a text is kept.

    Attributes:
        name: The feature's full name.
        encoder: What makes numbers of it.
        named: Whether its words may be kept and named.
    """

    name: str
    encoder: TextEncoder
    named: bool


def text_column(kept: Kept, texts: Sequence[str | None], days: npt.NDArray[np.intp], count: int) -> TextColumn:
    """Looks at the training texts of a feature.

    Args:
        kept: Which, and how.
        texts: The texts, ``None`` for null.
        days: Day of each, 0 to ``count`` - 1.
        count: How many days there are.
    """
    known = np.fromiter((text is not None for text in texts), np.bool_, len(texts))
    rows = np.bincount(days[known], minlength=count)
    told = np.where(known & (rows[days] >= FEWEST), days, -1)
    found = cut(texts)
    spread = np.bincount(found.words, minlength=len(found.names))
    least = max(FREQUENT * int(known.sum()), FEWEST)
    order = [at for at in np.argsort(-spread, kind="stable").tolist() if spread[at] >= least]
    allowed = (found.names[at] for at in order if kept.named and may_be_named(found.names[at]))
    words = tuple(allowed)[:MOST_WORDS]
    counts = _counted(found, words, told, count)
    by_lot = np.where(known, np.random.default_rng(1).permutation(len(texts)) % _GROUPS, -1)
    noise = {"words": _noise(_counted(found, words, by_lot, _GROUPS), words=True)} if words else {}
    bare = TextColumn(
        name=kept.name,
        named=kept.named,
        words=words,
        counts=counts.astype("<i4").tobytes(),
        nulls=tuple(np.bincount(days[~known], minlength=count).tolist()),
        noise=noise,
    )
    if kept.encoder.format == TOKENS or not known.any():
        return bare
    some = evenly(texts, kept.encoder, 10 * SLOW)
    points = encoded(kept.encoder, [texts[at] for at in some.tolist()])
    sample = some[known[some]][:: max(int(known[some].sum()) // SAMPLE, 1)]
    place = np.searchsorted(some, sample)
    dense = points.dense(place) if isinstance(points, Rows) else points[place].astype(np.float64)
    fourier = fourier_of(dense, _PAIRS)
    lying = _summed(fourier, points, told[some], count)
    return msgspec.structs.replace(
        bare,
        sums=np.where(lying[:, -1:] >= FEWEST, lying, 0.0).astype("<f4").tobytes(),
        columns=dense.shape[1],
        width=fourier.width,
        noise={**noise, "mmd": _noise(_summed(fourier, points, by_lot[some], _GROUPS), words=False)},
    )


def evenly(texts: Sequence[str | None], encoder: TextEncoder, most: int) -> npt.NDArray[np.intp]:
    """Which texts become vectors: all, or some by even steps where a pretrained model makes them."""
    step = 1 if encoder.names_words else max(-(-len(texts) // most), 1)
    return np.arange(0, len(texts), step)


def lying_of(column: TextColumn, encoder: TextEncoder, texts: Sequence[str | None]) -> Floats:
    """A window's texts as a row of :attr:`TextColumn.sums`, shape (features + 1,)."""
    some = evenly(texts, encoder, SLOW)
    mine = [texts[at] for at in some.tolist()]
    groups = np.fromiter((0 if text is not None else -1 for text in mine), np.intp, len(mine))
    found: Floats = _summed(column.fourier, encoded(encoder, mine), groups, 1)[0]
    return found


def _summed(
    fourier: Fourier, points: Rows | npt.NDArray[np.float32], groups: npt.NDArray[np.intp], many: int
) -> Floats:
    rows = np.bincount(groups[groups >= 0], minlength=many)
    return np.column_stack([fourier.sums(points, groups, many), rows])


def _cells(found: Cut, words: Sequence[str]) -> npt.NDArray[np.int64]:
    known = {word: at for at, word in enumerate(words)}
    place = np.fromiter((known.get(name, len(words)) for name in found.names), np.int64, len(found.names))
    return place[found.words]


def _counted(found: Cut, words: Sequence[str], groups: npt.NDArray[np.intp], many: int) -> Floats:
    width = len(words) + 1
    mine = groups[found.texts]
    cells = (mine * width + _cells(found, words))[mine >= 0]
    counts = np.bincount(cells, minlength=many * width).reshape(many, width)
    return np.column_stack([counts, np.bincount(groups[groups >= 0], minlength=many)]).astype(np.float64)


def _noise(by_group: Floats, *, words: bool) -> tuple[float, float]:
    """Mean and variance of the squared distance of halves by lot, for 1/n + 1/m = 1."""
    random = np.random.default_rng(2)
    sides = random.permuted(np.tile(np.arange(_GROUPS) % 2, (_SPLITS, 1)), axis=1).astype(np.float64)
    one, two = sides @ by_group, (1 - sides) @ by_group
    squares = (jensen_shannon(one[:, :-1], two[:, :-1]) if words else apart(one, two)) ** 2
    squares = squares / (1 / np.maximum(one[:, -1], 1) + 1 / np.maximum(two[:, -1], 1))
    return float(squares.mean()), float(squares.var())

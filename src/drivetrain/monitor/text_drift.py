"""A window's texts against those a version was trained on: which words they are made of, and where they lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from drivetrain.core.records import FeatureDrift
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.wording import percent
from drivetrain.monitor.drift import Manner, cut_up, reach_of, stand, threshold_of
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.requested import requested
from drivetrain.monitor.spec import ReferenceName
from drivetrain.monitor.statistics.jensen_shannon import jensen_shannon
from drivetrain.monitor.texts.fourier import apart
from drivetrain.monitor.texts.profile import FEWEST, FREQUENT, MOST_WORDS, TextColumn, lying_of
from drivetrain.monitor.texts.statistic import EFFECTS
from drivetrain.monitor.texts.words import Word, may_be_named, moved, spread
from drivetrain.train.text.encoder import TextEncoder

_TOLD = 3


class _Seen(NamedTuple):
    column: TextColumn
    statistic: str
    by_day: Floats
    window: Floats
    manner: Manner


def measure_texts(
    reference: Reference,
    texts: Mapping[str, Sequence[str | None]],
    encoders: Mapping[str, TextEncoder],
    *,
    days: int,
    false_alarm: float,
    unnamed: frozenset[str] = frozenset(),
) -> tuple[FeatureDrift, ...]:
    """Holds a window's texts against training's, as :func:`~drivetrain.monitor.drift.measure_drift` does numbers.

    ``words`` is the Jensen-Shannon distance of the shares of frequent words, all others being one; ``mmd`` the distance
    of mean random features (:mod:`drivetrain.monitor.texts.fourier`), sampling included. Both are held against what
    stretches of the training texts as long as the window do among themselves. Where the profile keeps no words, as of
    personal texts, there is ``mmd`` alone.

    Args:
        reference: The version's profile.
        texts: Feature → the window's texts, ``None`` for null.
        encoders: Feature → what the version makes numbers of them with.
        days: Length of the window.
        false_alarm: Probability that anything at all is called drifted when nothing changed.
        unnamed: Features whose words may not be named today, whatever the profile says, which is as old as the version.

    Returns:
        One for each text and statistic; those with fewer than five texts in the window are left out.
    """
    near, segments = cut_up(reference, days)
    seen = [
        one
        for column in reference.texts
        if sum(text is not None for text in texts.get(column.name, ())) >= FEWEST
        for one in _seen(column, texts[column.name], encoders.get(column.name))
    ]
    if not seen:
        return ()
    stood = [stand(one.by_day, one.window, segments, one.manner, near=near) for one in seen]
    alpha = false_alarm / len(seen)
    reach = reach_of([null for _, null in stood if null is not None], alpha, false_alarm)
    found = []
    for one, (value, null) in zip(seen, stood, strict=True):
        rows, before = float(one.window[-1]), float(one.by_day[:, -1].sum())
        p_value = None
        if null is None:
            chance = one.column.sampling(one.statistic, 1 / rows + 1 / max(before, 1.0), alpha)
        else:
            extra = one.column.sampling(one.statistic, 1 / rows - 1 / max(null.rows, 1.0), alpha)
            chance, p_value = threshold_of(null, value, reach, extra, rooted=True, bounded=True)
        least = max(EFFECTS[one.statistic], chance)
        mine = texts[one.column.name]
        nulls = sum(one.column.nulls)
        found.append(
            FeatureDrift(
                feature=one.column.name,
                statistic=one.statistic,
                value=value,
                threshold=least,
                drifted=value > least,
                null_share=sum(text is None for text in mine) / len(mine),
                reference_null_share=nulls / max(nulls + before, 1.0),
                count=len(mine),
                p_value=p_value,
                words=words_moved(one.column, mine) if value > least and one.column.name not in unnamed else "",
            )
        )
    return tuple(found)


def _seen(column: TextColumn, texts: Sequence[str | None], encoder: TextEncoder | None) -> list[_Seen]:
    found = []
    window = column.worded(texts)
    if column.words and window[:-1].any() and column.counted[:, :-1].any():
        manner = Manner(_in_turn(_of_words), EFFECTS["words"], bounded=True, rows=-1)
        found.append(_Seen(column, "words", column.counted, window, manner))
    if column.sums and encoder is not None and len(encoder.columns) == column.columns:
        manner = Manner(_in_turn(apart), EFFECTS["mmd"], bounded=True, rows=-1)
        found.append(_Seen(column, "mmd", column.lying, lying_of(column, encoder, texts), manner))
    return found


def _of_words(left: Floats, right: Floats) -> Floats:
    return jensen_shannon(left[..., :-1], right[..., :-1])


def _in_turn(between: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats], Floats]:
    """Many stretches against many others one by one: all at once they would take much memory."""

    def one_by_one(left: Floats, right: Floats) -> Floats:
        if left.ndim < 3:
            return between(left, right)
        return np.stack([between(row, right[0]) for row in left])

    return one_by_one


def words_moved(column: TextColumn, texts: Sequence[str | None]) -> str:
    """Which words rose and fell, in words; empty where none surely did, or where they may not be named.

    Named are words in a hundredth of the texts or more, of the training's or of the window's, and in five at least. Of
    one that is not kept it is not known how often training had it: it is taken to have been in just under a hundredth
    of the texts, or in as many as the rarest word that is kept where there were more frequent words than are kept.
    A word rose or fell where its odds among all words surely did, and its share of texts with them.
    """
    if not column.named:
        return ""
    before = column.counted.sum(axis=0)
    now = spread(texts)
    rows = (int(before[-1]), sum(text is not None for text in texts))
    if not min(rows):
        return ""
    known = set(column.words)
    rare = FREQUENT * rows[0]
    if len(known) >= MOST_WORDS:
        rare = max(rare, float(before[: len(known)].min()))
    least = max(FREQUENT * rows[1], FEWEST)
    fresh = sorted(word for word, many in now.items() if many >= least and word not in known and may_be_named(word))
    names = [*column.words, *fresh]
    first = np.array([*before[: len(known)], *[rare] * len(fresh)])
    second = np.array([float(now[name]) for name in names])
    totals = (float(before[:-1].sum()), float(now.total()))
    found = moved(names, first, second, rows, len(names), totals)
    # Odds are among all words, what is said are shares of texts: where texts are cut, words that lose least rise.
    rose = [word for word in found if word.score > 0 and word.now > word.before]
    # Of a word that is not kept only a bound is known: it can have risen alone.
    fell = [word for word in found if word.score < 0 and word.now < word.before and word.word in known]
    said = [
        f"{verb}: {', '.join(_told(word, new=word.word not in known) for word in words[:_TOLD])}"
        for verb, words in (("rose", rose), ("fell", fell))
        if words
    ]
    return f"share of texts in training, and now, of words that {'; that '.join(said)}" if said else ""


def _told(word: Word, *, new: bool) -> str:
    # A bound is rounded up: rounded to the nearest, it could say less than was.
    before = f"under {percent(math.ceil(100 * word.before - 1e-6) / 100)}" if new else percent(word.before)
    return f"{word.word!r} ({before}, {percent(word.now)})"


def texts_note(against: ReferenceName, found: Iterable[FeatureDrift]) -> str:
    """That texts are held against training where all else is not; empty where no text is, or all is.

    Args:
        against: What everything else is held against.
        found: All that was measured.

    Example:
        >>> texts_note("trailing", [])
        ''
    """
    if against == "training" or not any(one.statistic in {"words", "mmd"} for one in found):
        return ""
    return "texts are held against the version's training rows: no other history of them is kept"


def texts_logged(
    rows: pl.DataFrame, values: Floats, reference: Reference, withheld: frozenset[str]
) -> dict[str, list[str | None]]:
    """The texts of a window, where the log has them.

    A text that is a field of the request goes by the last part of the feature's name (``sms.message`` is
    ``message``); that it is the same is checked by the length the log keeps beside. One from elsewhere is watched by
    its length alone, and so is one of which the profile keeps neither words nor sums.

    Args:
        rows: Of the log.
        values: Their encoded values, in the reference's order.
        reference: Which texts there are.
        withheld: Features whose values the log does not keep.
    """
    found: dict[str, list[str | None]] = {}
    if "request" not in rows.columns or rows["request"].dtype != pl.String:
        return found
    places = {column.name: at for at, column in enumerate(reference.columns)}
    for column in reference.texts:
        watched = column.words or column.sums
        if not watched or column.name in withheld or column.name not in places:
            continue
        told = requested(rows["request"], column.name)
        lengths = told.str.len_chars().cast(pl.Float64).fill_null(float("nan")).to_numpy()
        if np.array_equal(lengths, values[:, places[column.name]], equal_nan=True):
            found[column.name] = told.to_list()
    return found

"""Reading on where a place that was away for a moment left off: the only retry there is, for every kind of source."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from drivetrain.core.errors import SourceAway
from drivetrain.data.reader import Batch, Reader


@dataclass(frozen=True)
class Retry:
    """How often and how patiently a place is asked again.

    The wait before try ``n`` is drawn evenly from nothing to ``first`` × 2ⁿ⁻² seconds, at most ``most`` ("full jitter":
    Brooker, Exponential Backoff And Jitter, 2015), so that many readers do not come back together. Where the place says
    how long it wants to be left alone, that long is waited, and the jitter on top.

    Attributes:
        tries: How often at most without a new batch in between.
        first: Longest wait before the second try, in seconds.
        most: Longest wait before any, in seconds.
        patience: Longest wait that a place may ask for, in seconds; one that asks for more is left for another day.
    """

    tries: int = 6
    first: float = 1.0
    most: float = 30.0
    patience: float = 300.0

    def wait(self, tried: int, after: float | None) -> float:
        """Seconds to wait when so many tries have failed."""
        bound = min(self.most, self.first * 2.0 ** (tried - 1))
        return (after or 0.0) + random.uniform(0.0, bound)  # noqa: S311 - parts readers, hides nothing


def resumed(
    reader: Reader,
    folder: Path,
    cursor: str,
    *,
    retry: Retry,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Batch]:
    """The batches of a reader; when its place is away it is read again, from behind the last batch.

    Args:
        reader: What to read.
        folder: The project folder.
        cursor: Of the last batch that was kept.
        retry: How often, how patiently.
        tell: Told of every wait, in words.
        sleep: Waits.

    Raises:
        SourceAway: It stayed away; the message says how often it was tried.
        SourceError: What trying again would not mend.
    """
    tried = 0
    while True:
        try:
            for batch in reader.read(folder, cursor):
                yield batch
                cursor, tried = batch.cursor, 0
        except SourceAway as error:
            tried += 1
            if tried >= retry.tries or (error.after or 0.0) > retry.patience:
                raise _given_up(error, tried) from error
            seconds = retry.wait(tried, error.after)
            tell(f"{error.what}: trying again in {seconds:.1f} s ({tried + 1} of {retry.tries})")
            sleep(seconds)
        else:
            return


def _given_up(error: SourceAway, tried: int) -> SourceAway:
    asked = f"; it asks to be left alone for {error.after:g} s" if error.after else ""
    often = f" (tried {tried} times{asked})" if tried > 1 or asked else ""
    return SourceAway(
        f"{error.what}{often}", found=error.found, expected=error.expected, do=error.do, after=error.after
    )

"""Page and Hinkley's test: values that stay above their own mean add up until there is no doubt."""

from __future__ import annotations


class PageHinkley:
    """Rises of a mean, by a cumulated sum that is held against its least so far.

    After a change it begins anew.

    Source: Page, "Continuous inspection schemes" (1954); Gama and others, "On evaluating stream learning algorithms"
    (2013), with fading.

    Args:
        slack: How far above the mean a value may be without being held against it.
        threshold: The sum that is too much: the higher, the fewer false alarms and the longer the wait.
        fading: What is left of the sum after each value.
        warm_up: Values before anything is said.

    Example:
        >>> test = PageHinkley(threshold=10)
        >>> [at for at in range(1000) if test.update(float(at >= 500))]
        [510]
    """

    def __init__(
        self, slack: float = 0.005, threshold: float = 50.0, fading: float = 0.9999, warm_up: int = 30
    ) -> None:
        self.slack, self.threshold, self.fading, self.warm_up = slack, threshold, fading, warm_up
        self._count = 0
        self._mean = self._sum = 0.0
        self._least = float("inf")
        self._since = 0
        self.recent = 0
        """Of the last change: values since the sum was least, where the rise began."""

    def update(self, value: float) -> bool:
        """Takes the next value; whether the mean has risen."""
        self._count += 1
        self._mean += (value - self._mean) / self._count
        self._sum = self.fading * self._sum + value - self._mean - self.slack
        self._since = 0 if self._sum <= self._least else self._since + 1
        self._least = min(self._least, self._sum)
        changed = self._count >= self.warm_up and self._sum - self._least > self.threshold
        if changed:
            self.recent = self._since
            self._begin()
        return changed

    def _begin(self) -> None:
        self._count = self._since = 0
        self._mean = self._sum = 0.0
        self._least = float("inf")

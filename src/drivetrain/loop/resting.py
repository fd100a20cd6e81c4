"""What the watch may leave alone: endpoints on which nothing can follow until a moment, or until something is kept."""

from __future__ import annotations

from drivetrain.core.clock import HOUR, Micros
from drivetrain.core.records import Alias, Decision, MonitorReport, Policy
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.following import next_follow
from drivetrain.loop.retraining import BUDGET_SPAN, ENDS
from drivetrain.monitor.spec import Monitor, Retrain


class Resting:
    """Remembers, from look to look, until when each endpoint rests.

    An endpoint rests while its next window has not ended and nothing else runs on time there: no version in its shadow,
    no canary or bandit, no cool-down that ends. Whatever is kept in the catalog, by anybody, wakes all of them, and so
    does a clock that is set back.
    """

    def __init__(self) -> None:
        self._revision = -1
        self._now: Micros = 0
        self._until: dict[str, Micros] = {}

    def begin(self, project: Definitions, now: Micros) -> None:
        """A look begins: everybody is woken if anything was kept since the last one began."""
        revision = project.store.catalog.revision()
        if revision != self._revision or now < self._now:
            self._until.clear()
        self._revision, self._now = revision, now

    def rests(self, endpoint: str) -> bool:
        """Whether an endpoint may be left out of this look."""
        return self._now < self._until.get(endpoint, 0)

    def note(self, project: Definitions, endpoint: Endpoint) -> None:
        """An endpoint was looked at: works out until when it rests."""
        self._until[endpoint.name] = rests_until(project, endpoint, self._now)


def rests_until(project: Definitions, endpoint: Endpoint, now: Micros) -> Micros:
    """The moment before which a look at an endpoint finds nothing to do, if nothing is kept meanwhile; 0 for none."""
    catalog = project.store.catalog
    policy = catalog.get(Policy, endpoint.name)
    if policy is not None and policy.mode not in {"champion", "split"}:
        return 0
    shadow = catalog.get(Alias, f"{endpoint.model.name}:shadow")
    if shadow is not None and shadow.version is not None:
        return 0
    moments = [now + HOUR]  # old rows of the log are taken out at least that often
    monitor = project.monitors.get(endpoint.name)
    if monitor is not None:
        last = next(iter(catalog.find(MonitorReport, endpoint.name, limit=1)), None)
        if last is None or last.until + monitor.window_us <= now:
            return 0  # its window has ended, and whether anybody asked in it only the log knows
        moments.append(last.until + monitor.window_us)
        if monitor.performance is not None and monitor.performance.concept is not None:
            moments.append(next_follow(catalog, last))
        if monitor.retrain is not None:
            moments.append(_next_training(project, monitor, monitor.retrain, endpoint, now))
    return min(moments)


def _next_training(project: Definitions, monitor: Monitor, rules: Retrain, endpoint: Endpoint, now: Micros) -> Micros:
    """When a schedule, a cool-down or a budget next lets a training begin; 0 where one may be under way."""
    catalog, model = project.store.catalog, endpoint.model.name
    past = [one for one in catalog.find(Decision, monitor.endpoint) if one.what == "retrain"]
    if past and not any(one.what in ENDS for one in catalog.find(Decision, model, since=past[0].at)):
        return 0
    moments = [past[0].at + rules.cooldown_us] if past else []
    moments += [one.at + BUDGET_SPAN for one in past] if rules.budget is not None else []
    if rules.every_us is not None:
        champion = catalog.get(Alias, f"{model}:champion")
        moments.append((past[0].at if past else champion.at if champion else 0) + rules.every_us)
        if moments[-1] <= now:  # it is due, and something holds it back that only another look can tell
            return 0
    return min((moment for moment in moments if moment > now), default=now + HOUR)

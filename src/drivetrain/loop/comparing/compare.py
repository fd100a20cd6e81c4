"""Plays the same months by several sets of rules, through the real components, and compares what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from drivetrain.core.clock import Micros
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress
from drivetrain.core.records import ModelVersion
from drivetrain.core.settings import Settings
from drivetrain.evaluate.ranking import Floats
from drivetrain.loop.comparing.naive import Stream, naive_answers
from drivetrain.loop.comparing.played import Played, read_played
from drivetrain.loop.comparing.rehearsal import Rehearsal
from drivetrain.loop.comparing.verdict import Verdict, common_rows, judge
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.monitor.spec import Monitor

P = TypeVar("P", bound=Definitions)


def compare(
    project: Definitions,
    endpoint: str | None,
    names: Sequence[str],
    span: tuple[Micros, Micros],
    *,
    load: Callable[[Path, Settings], P],
    begin: Callable[[P, Micros], object],
    play: Callable[[P, str, Micros, Micros], object],
    progress: Progress,
) -> Verdict:
    """Plays ``[since, until)`` once for each set of rules; one that was played before is not played again.

    Each has a copy of the project's folder and a store of its own in ``.drivetrain/compare``; the project's own state
    is neither read nor changed, and nobody outside is told of alerts.

    Args:
        project: Whose endpoint it is.
        endpoint: Which one; not needed where there is one.
        names: ``declared``, ``static``, or those of the monitor's alternatives.
        span: Where the months begin and end.
        load: Opens the project of a folder with other settings.
        begin: Brings a copy up to the moment where the months begin.
        play: Plays them against the server of a copy.
        progress: Told of each.

    Raises:
        UsageError: No rules are named, or some twice.
        UnknownName: The endpoint has no monitor, no traffic, or no rules of such a name.
    """
    since, until = span
    found = project.find_endpoint(endpoint)
    monitor = _monitor(project, found, names)
    rules = {name: monitor.by(name) for name in names}
    root = project.folder / project.settings.store.root / "compare"
    rehearsal = Rehearsal(project.folder, root / _key(found, since), project.settings)
    base = rehearsal.base(load, lambda copy: begin(copy, since))
    played = []
    for name, asked in rules.items():
        folder = rehearsal.copy(base, f"{name}.{digest([repr(asked), until])[:10]}")
        progress.start(task := f"play {found.name} by {name}")
        with rehearsal.playing(folder, load) as copy:
            copy.monitors = {found.name: replace(asked, sinks=())}  # nobody outside is told
            copy.watched = {}
            play(copy, found.name, since, until)
            played.append(read_played(copy, copy.find_endpoint(found.name), name, since, until))
        progress.finish(task, note=_came_to(played[-1]))
    copy = load(folder, rehearsal.within())
    try:
        return _verdict(copy, copy.find_endpoint(found.name), played, span)
    finally:
        copy.store.close()


def _verdict(copy: Definitions, endpoint: Endpoint, played: list[Played], span: tuple[Micros, Micros]) -> Verdict:
    model = endpoint.model
    version = min(copy.store.catalog.find(ModelVersion, model.name), key=lambda one: one.version)
    stream = Stream(endpoint.name, played[0].log, played[0].feedback, version.task)
    naive: dict[str, Floats] = {}
    left_out: dict[str, str] = {}
    for name, answers in naive_answers(copy, model, version, stream).items():
        if isinstance(answers, str):
            left_out[name] = answers
        else:
            naive[name] = answers
    compared = common_rows(played, naive, version.task, endpoint.name)
    return judge(played, compared, model.metric_of(version.task.kind), left_out, (endpoint.name, *span))


def _monitor(project: Definitions, endpoint: Endpoint, names: Sequence[str]) -> Monitor:
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(
            "two or more sets of rules are compared, each once",
            found=", ".join(names) or "none",
            expected="for example: --compare static declared",
        )
    if endpoint.name not in project.monitors:
        raise UnknownName(
            f"endpoint {endpoint.name!r} has no monitor, and so no rules",
            do=f'Declare one: project.monitor("{endpoint.name}", retrain=dt.Retrain(…))',
        )
    if endpoint.traffic is None:
        raise UnknownName(
            f"endpoint {endpoint.name!r} has no traffic to replay",
            do="Declare it: project.endpoint(…, traffic=dt.Traffic(requests=…, deliver=…))",
        )
    return project.monitors[endpoint.name]


def _key(endpoint: Endpoint, since: Micros) -> str:
    """Names what the copies begin from: another declaration, or another beginning, begins anew."""
    model = endpoint.model
    return digest([endpoint.name, model.data_digest(), model.fit_digest(), model.judge_digest(), since])[:10]


def _came_to(played: Played) -> str:
    answers = f"{played.log.height:,} answers"
    return f"{answers}, {played.retrainings} retrainings, {played.alerted} alerts"

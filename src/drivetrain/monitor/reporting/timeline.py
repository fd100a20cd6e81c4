"""The lanes of a story as one drawing, for the report and for the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from markupsafe import Markup

from drivetrain.core.clock import Micros
from drivetrain.core.records import Measure
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.wording import figure, figures, percent, span
from drivetrain.monitor.reporting.account import bounds
from drivetrain.monitor.reporting.canvas import Canvas
from drivetrain.monitor.reporting.lanes import ENDS, Bar, Figure, Lanes, Mark
from drivetrain.monitor.reporting.steps import day
from drivetrain.monitor.reporting.story import Story

_DRIFT, _METRIC, _ROW, _GAP = 58.0, 136.0, 9.0, 14.0
_FURTHEST = 8.0
"""Thresholds that the lane of drift is high at most; what goes further says how far."""
_APART = 21.0
"""Shares of the width between two names in one row, so that they don't touch on a phone."""
_NAMES = {
    "inputs": "on inputs that are broken",
    "drift": "on drift",
    "estimated": "on the metric as estimated",
    "concept": "on errors, one by one",
    "performance": "on the metric on labels",
    "calibration": "on calibration",
    "segment": "on segments",
    "fairness": "on fairness",
    "attribution": "on what moves the answers",
    "business": "on worth",
    "traffic": "on how much is asked",
    "latency": "on the time to answer",
    "rules": "on rules that failed",
    "own": "of the project's own rules",
}
_ENDED = {
    "promote": ("up", "good", "v{} promoted"),
    "refuse": ("cross", "bad", "v{} refused"),
    "rollback": ("diamond", "watch", "back to v{}"),
    "wait": ("ring", "watch", "v{} waits"),
    "approve": ("ring", "good", "v{} approved"),
}


def drawing(story: Story, name: str = "story") -> Markup:
    """The story on one timeline, as inline SVG; nothing where there is nothing to draw.

    Args:
        story: What is drawn.
        name: Begins the ids in it, where a page has several.
    """
    lanes = story.lanes
    if not (lanes.drift or lanes.figures or lanes.alerts or lanes.marks or lanes.answered):
        return Markup("")
    canvas = Canvas(lanes.since, lanes.until)
    _chapters(canvas, story)
    top = canvas.y
    _answered(canvas, lanes)
    _drift(canvas, lanes)
    _metric(canvas, lanes)
    _alerts(canvas, lanes)
    _versions(canvas, lanes)
    for one in lanes.marks:
        if one.what in ENDS or one.what == "retrain":
            kind = "step" if one.what == "retrain" else _ENDED[one.what][1]
            canvas.across(one.at, top, f"cut {kind}", _mark_words(one))
    canvas.axis()
    return canvas.drawn(
        f"The story of {lanes.endpoint}, {span(lanes.since, lanes.until)}",
        " ".join(f"{one.number}: {one.title}, {one.when}." for one in story.newest) or "No alert, and no decision.",
        name,
    )


def _chapters(canvas: Canvas, story: Story) -> None:
    if not story.chapters:
        return
    for one in story.newest:
        until = story.lanes.until if one.until is None else one.until
        canvas.behind(one.since, until, "chapter")
        canvas.text(canvas.x(one.since), 13, str(one.number), "number", shift=3, end=canvas.x(one.since) > 97)
    canvas.y += 24


def _answered(canvas: Canvas, lanes: Lanes) -> None:
    if not lanes.answered:
        return
    _title(canvas, "Who answered")
    for place, one in enumerate(lanes.answered):
        since, until = _inside(lanes, one.since, one.until)
        if since >= lanes.until:
            continue
        words = f"v{one.version} answered, {span(since, until)}"
        canvas.bar(since, until, (canvas.y, 17), f"reign {'odd' if place % 2 else 'even'}", words)
        canvas.text(canvas.x(since), canvas.y + 12.5, f"v{one.version}", "inside", shift=5)
    canvas.y += 17 + _GAP


def _drift(canvas: Canvas, lanes: Lanes) -> None:
    if not lanes.drift:
        return
    _title(canvas, "Furthest drift, in thresholds")
    top, most = canvas.y, min(max(1.5, *(one.ratio for one in lanes.drift)), _FURTHEST)
    for one in lanes.drift:
        high = round(_DRIFT * min(one.ratio / most, 1.0), 1)
        words = (
            f"{span(one.since, one.until)}: {one.drifted} of {one.features} drifted; {one.furthest}, {one.statistic} "
            f"{figure(one.value)}, {one.ratio:.1f} times its threshold"
        )
        gap = (one.until - one.since) // 12
        box = (round(top + _DRIFT - high, 1), high)
        canvas.bar(one.since + gap, one.until - gap, box, "drift over" if one.drifted else "drift", words)
    limit = round(top + _DRIFT * (1 - 1 / most), 1)
    canvas.line((0.5, limit), (99.5, limit), "limit")
    canvas.text(0.5, limit - 3, "1×", "value")
    canvas.line((0.5, top + _DRIFT), (99.5, top + _DRIFT), "grid")
    canvas.y += _DRIFT + _GAP


def _metric(canvas: Canvas, lanes: Lanes) -> None:
    if not lanes.figures:
        return
    title = METRICS[lanes.metric].title
    _title(canvas, f"{title[:1].upper()}{title[1:]}, and its range")
    _legend(canvas, lanes.figures)
    every = [one for each in lanes.figures for one in (each.estimated, each.real, each.evaluated) if one is not None]
    low, high = min(bounds(one)[0] for one in every), max(bounds(one)[1] for one in every)
    room = (high - low) * 0.05 or abs(high) * 0.1 or 0.1
    low, high, top = low - room, high + room, canvas.y

    def y(value: float) -> float:
        return round(top + _METRIC * (1 - (value - low) / (high - low)), 1)

    for share in (0.1, 0.5, 0.9):
        value = low + (high - low) * share
        canvas.line((0.5, y(value)), (99.5, y(value)), "grid")
        canvas.text(0.5, y(value) - 3, f"{value:.2f}" if high - low > 0.05 else figure(value), "value")
    for one in lanes.figures:
        if one.evaluated is not None:
            at, words = y(one.evaluated.value), f"when v{one.version} was evaluated: {figures(one.evaluated)}"
            canvas.line((canvas.x(one.since), at), (canvas.x(one.until), at), "evaluated", words)
    _course(canvas, [(one, one.estimated) for one in lanes.figures], y, "estimated", 1.0)
    _course(canvas, [(one, one.real) for one in lanes.figures], y, "real", -1.0)
    canvas.y += _METRIC + _GAP


def _course(
    canvas: Canvas, found: Sequence[tuple[Figure, Measure | None]], y: Callable[[float], float], kind: str, side: float
) -> None:
    """A line through the middles of windows, broken where one has no value, with a range at each."""

    def x(one: Figure) -> float:
        wide = canvas.x(one.until) - canvas.x(one.since)
        return round((canvas.x(one.since) + canvas.x(one.until)) / 2 + side * wide * 0.09, 2)

    for one, measure in found:
        if measure is not None and measure.low is not None and measure.high is not None:
            canvas.line((x(one), y(measure.low)), (x(one), y(measure.high)), f"range {kind}")
    for (first, before), (second, after) in pairwise(found):
        if before is not None and after is not None:
            canvas.line((x(first), y(before.value)), (x(second), y(after.value)), f"course {kind}")
    for one, measure in found:
        if measure is not None:
            how = "estimated" if kind == "estimated" else f"on {percent(one.label_share)} of the labels"
            words = f"{span(one.since, one.until)}, v{one.version}: {figures(measure)} {how}"
            canvas.mark(x(one), y(measure.value), "ring" if kind == "estimated" else "dot", kind, words)


def _legend(canvas: Canvas, found: Sequence[Figure]) -> None:
    """What is what, in a row; of what is there."""
    at, y = 0.0, canvas.y + 8
    if any(one.real is not None for one in found):
        canvas.mark(0.5, y - 4, "dot", "real", shift=at + 5)
        canvas.text(0.5, y, "on labels", "small", shift=at + 14)
        at += 80
    if any(one.estimated is not None for one in found):
        canvas.mark(0.5, y - 4, "ring", "estimated", shift=at + 5)
        canvas.text(0.5, y, "estimated before", "small", shift=at + 14)
        at += 124
    if any(one.evaluated is not None for one in found):
        canvas.text(0.5, y, "┄ when evaluated", "small", shift=at)
    canvas.y += 18


def _alerts(canvas: Canvas, lanes: Lanes) -> None:
    if not lanes.alerts:
        return
    _title(canvas, "Alerts, from opened to ended")
    for family in dict.fromkeys(one.family for one in lanes.alerts):
        canvas.text(0.5, canvas.y + 9, _NAMES[family], "small")
        canvas.y += 14
        rows = _rows([one for one in lanes.alerts if one.family == family], lanes.until)
        for bars in rows:
            for one in bars:
                since, until = _inside(lanes, one.since, one.until)
                ended = "open" if one.until is None else f"ended {day(one.until)}"
                words = f"{one.rule}, {one.severity}: opened {day(one.since)}, {ended}. {one.message}"
                canvas.bar(since, until, (canvas.y, _ROW), f"alert {one.severity}", words)
            canvas.y += _ROW + 2
        canvas.y += 4
    canvas.y += _GAP - 6


def _versions(canvas: Canvas, lanes: Lanes) -> None:
    trained = [one for one in lanes.marks if one.what in {"retrain", "register"}]
    ended = [one for one in lanes.marks if one.what in _ENDED]
    if trained:
        _title(canvas, "Trained")
        together: dict[Micros, list[Mark]] = {}
        for one in trained:
            together.setdefault(one.at, []).append(one)
        _named(
            canvas, [(at, "ring", "step", _trained(of), " ".join(map(_mark_words, of))) for at, of in together.items()]
        )
    if lanes.shadows:
        _title(canvas, "In the shadow")
        for reign in lanes.shadows:
            since, until = _inside(lanes, reign.since, reign.until)
            words = f"v{reign.version} in the shadow, {span(since, until)}"
            canvas.bar(since, until, (canvas.y, 17), "shadow", words)
            right = canvas.x(until) > 90
            canvas.text(
                canvas.x(since if right else until), canvas.y + 12.5, f"v{reign.version}", "small", shift=5, end=right
            )
        canvas.y += 17 + _GAP
    if ended:
        _title(canvas, "Decided")
        _named(canvas, [(one.at, *_sign(one), _mark_words(one)) for one in ended])


def _named(canvas: Canvas, found: Sequence[tuple[Micros, str, str, str, str]]) -> None:
    """Marks in a row, each with its name where there is room for it."""
    free, y = -100.0, canvas.y + 8
    for place, (at, shape, kind, name, title) in enumerate(found):
        x = canvas.x(at)
        canvas.mark(x, y, shape, kind, title)
        following = canvas.x(found[place + 1][0]) if place + 1 < len(found) else 200.0
        right = x > 100 - _APART
        room = x - free >= _APART if right else following - x >= _APART
        if room:
            canvas.text(x, y + 4, name, "small", shift=9, end=right)
        free = x + (0.0 if right or not room else _APART)
    canvas.y += 17 + _GAP


def _sign(mark: Mark) -> tuple[str, str, str]:
    shape, kind, words = _ENDED[mark.what]
    return shape, kind, "no new version" if mark.version is None else words.format(mark.version)


def _trained(marks: Sequence[Mark]) -> str:
    return next((f"v{one.version}" for one in marks if one.what == "register"), "asked for")


def _mark_words(mark: Mark) -> str:
    return f"{day(mark.at)}: {mark.words}"


def _rows(bars: Sequence[Bar], until: Micros) -> list[list[Bar]]:
    """Bars in as few rows as keep them apart, each in the first that is free."""
    rows: list[list[Bar]] = []
    for one in sorted(bars, key=lambda one: one.since):
        row = next((found for found in rows if (found[-1].until or until) <= one.since), None)
        if row is None:
            rows.append([one])
        else:
            row.append(one)
    return rows


def _inside(lanes: Lanes, since: Micros | None, until: Micros | None) -> tuple[Micros, Micros]:
    begun = lanes.since if since is None else max(since, lanes.since)
    ended = lanes.until if until is None else min(until, lanes.until)
    return begun, max(begun, ended)


def _title(canvas: Canvas, words: str) -> None:
    canvas.text(0.5, canvas.y + 11, words, "title")
    canvas.y += 19

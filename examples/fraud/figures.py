"""What came of the run, as tables on stdout: the handbook's figures beside ours, and what lies beyond them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import protocol
from handbook import PUBLISHED
from protocol import Figure, figures
from rich import box
from rich.console import Console
from rich.table import Table
from stream import Stream

from drivetrain.core.records import Run
from drivetrain.features.label import LABEL
from drivetrain.loop.project import Project
from drivetrain.train.predict import predict_run

MEASURES = dict(
    zip(protocol.MEASURES, ("ROC AUC", "average precision", f"card precision@{protocol.CARDS_A_DAY}"), strict=True)
)
BOOSTING = "gradient boosting"
"""What the handbook calls it; its is XGBoost, ours LightGBM."""
BEYOND = "gradient boosting, beyond them"

out = Console(highlight=False, soft_wrap=True)


class Scores:
    """The test week of the protocol, and what each detector says of its payments.

    Attributes:
        train: How many payments were learned from, and how many of them were frauds.
        test: The payments judged, in order.
        of: Detector → a score per payment.
        features: Detector → how many features it reads.
    """

    def __init__(self, project: Project) -> None:
        self.of: dict[str, np.ndarray] = {}
        self.features: dict[str, int] = {}
        for name, model in project.models.items():
            rows = project.training_set(name).with_columns(fraud=pl.col(LABEL) == 1)
            train, test = protocol.split(rows)
            run = _newest(project, name)
            if name == "fraud":
                self.train, self.test = (train.height, int(train["fraud"].sum())), test
            assert self.test["_entity"].equals(test["_entity"]), "both models are asked about the same payments"
            detectors = {BOOSTING if name == "fraud" else BEYOND: None, **{one: one for one in model.baselines}}
            for title, baseline in detectors.items():
                self.of[title] = predict_run(project.store, run, test, baseline=baseline)
                self.features[title] = len(model.feature_names())


def _newest(project: Project, model: str) -> Run:
    return next(run for run in project.store.catalog.find(Run) if run.model == model and run.status == "done")


def show_figures(scores: Scores) -> None:
    """The handbook's nine figures beside ours, then what more features bring."""
    test, features = scores.test, scores.features
    out.print(
        f"Learned from {scores.train[0]:,} payments with {scores.train[1]:,} frauds, judged on {test.height:,} with "
        f"{test['fraud'].sum():,}. 95 % intervals from {protocol.REPLICATES} draws of cards."
    )
    ours = {name: figures(test, score) for name, score in scores.of.items()}
    gain = figures(test, scores.of[BEYOND], scores.of[BOOSTING])
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("model, features")
    table.add_column("handbook", justify="right")
    table.add_column("here")
    for place, (measure, title) in enumerate(MEASURES.items()):
        table.add_row(f"[bold]{title}[/]")
        for name, published in PUBLISHED.items():
            table.add_row(f"{name}, {features[name]}", f"{published[place]:.3f}", shown(ours[name][measure]))
        table.add_row(f"{BEYOND}, {features[BEYOND]}", "", shown(ours[BEYOND][measure]))
        table.add_row(f"  gain over {features[BOOSTING]}", "", shown(gain[measure], sign=True), end_section=True)
    out.print(table)


def show_stream(stream: Stream, live: Mapping[str, Mapping[str, Figure]], words: Sequence[str]) -> None:
    """How fast payments were scored and pushed, how well, and what was checked.

    Args:
        stream: What was played.
        live: Endpoint → its measures on the payments streamed.
        words: What held, a sentence each.
    """
    payments = len(stream.payments)
    out.print(
        f"{payments:,} payments scored by {len(stream.scores)} endpoints and pushed, {stream.outcomes:,} outcomes "
        f"pushed, over HTTP, one call after the other: {stream.seconds:.0f} s, {payments / stream.seconds:,.0f} "
        f"payments a second"
    )
    for call, took in stream.took.items():
        half, most = (stream.milliseconds(call, share) for share in (0.5, 0.99))
        out.print(f"  {call}: {len(took):,} calls, median {half:.2f} ms, 99 % within {most:.1f} ms")
    for name, measured in live.items():
        told = ", ".join(f"{MEASURES[measure]} {shown(figure)}" for measure, figure in measured.items())
        out.print(f"{name}, live: {told}")
    for sentence in words:
        out.print(f"✓ {sentence}")


def shown(figure: Figure, *, sign: bool = False) -> str:
    """A figure with its interval.

    Example:
        >>> shown(Figure(0.05, 0.01, 0.09), sign=True)
        '+0.050 [+0.010, +0.090]'
    """
    value, low, high = (f"{number:{'+' if sign else ''}.3f}" for number in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"

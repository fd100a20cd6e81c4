"""What must hold, or the run ends with a sentence that says what does not."""

from __future__ import annotations

import time

import exact
import numpy as np
import polars as pl
import protocol
from protocol import Figure
from stream import Stream

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.core.errors import RefusedError
from drivetrain.core.progress import Progress
from drivetrain.features.label import LABEL
from drivetrain.loop.keys import verify_path
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import champion
from drivetrain.registry.load import predict_version


def features_are_the_handbooks(project: Project, progress: Progress) -> str:
    """Every value of the fifteen features beside the oracle's, as the model asks and as the handbook does.

    Raises:
        RefusedError: Some differ.
    """
    task = "compare features with the handbook's"
    progress.start(task, 2)
    asked = project.training_set("fraud").with_columns(fraud=pl.col(LABEL) == 1)
    wrong = exact.differing(asked, before=1)
    progress.advance(task)
    began = time.process_time()
    itself = exact.feature_frame(project.folder, project.models["fraud"], itself=True)
    took = time.process_time() - began
    wrong |= {f"{name}, the payment itself counted": n for name, n in exact.differing(itself, before=0).items()}
    if wrong:
        told = ", ".join(f"{many:,} of {name}" for name, many in wrong.items())
        raise RefusedError(f"features are not the handbook's: {told} differ", expected="the oracle's values")
    many = asked.height * len(exact.HANDBOOKS)
    progress.finish(task, f"twice {many:,} values, none differs")
    return (
        f"{many:,} feature values of {asked.height:,} payments are the handbook's, as of the moment before a payment "
        f"and as of its own; building them took {took:.1f} CPU-seconds"
    )


def nothing_counted_itself(stream: Stream) -> str:
    """Payments scored once more, after their own push, got the same score.

    Raises:
        RefusedError: One did not.
    """
    if stream.changed:
        raise RefusedError(
            f"{len(stream.changed)} of {stream.again} payments got another score after their own push",
            found=f"payment {stream.changed[0]}",
            expected="the same score: a payment never counts in its own",
        )
    return f"{stream.again:,} payments, scored once more after their own push, got the same score"


def served_as_offline(project: Project) -> str:
    """Every feature value that was served is what the tables say of the same moment.

    Raises:
        RefusedError: Some are not.
    """
    values = 0
    for name in project.endpoints:
        found = project.skew(name)
        values += found["values"]
        if found["mismatches"] or not found["values"]:
            feature, worst = next(iter(found["mismatches"].items()), ("none", {"example": "nothing was served"}))
            raise RefusedError(
                f"features served by {name!r} are not what the tables say: {found['causes'] or 'nothing to compare'}",
                found=f"{feature}: {worst['example']}",
                expected="no difference",
            )
    return (
        f"{values:,} feature values served, computed again from the tables once the rows had come there: none differs"
    )


def scored_as_offline(
    project: Project, stream: Stream, since: Micros, until: Micros
) -> tuple[dict[str, dict[str, Figure]], str]:
    """What was answered is what the model says of features built from files; and how good the answers were.

    Returns:
        Endpoint → its measures on the payments streamed, and the sentence.

    Raises:
        RefusedError: An answer differs.
    """
    live = {}
    for name, endpoint in project.endpoints.items():
        rows = exact.feature_frame(project.folder, endpoint.model, since=datetime_of(since), until=datetime_of(until))
        served = pl.DataFrame({"transaction_id": stream.payments, "served": stream.scores[name]})
        both = rows.with_columns(transaction_id=pl.col("_entity").cast(pl.Int64)).join(
            served, on="transaction_id", how="left", maintain_order="left"
        )
        version = champion(project.store, endpoint.model.name)
        assert version is not None, "it has just answered"
        said, answered = (
            predict_version(project.store, version, rows, verify=verify_path(project)),
            both["served"].to_numpy(),
        )
        different = int((~(np.abs(said - answered) <= exact.CLOSE)).sum())
        if different or rows.height != len(stream.payments):
            raise RefusedError(
                f"{different:,} of {rows.height:,} scores by {name!r} are not what the model says offline",
                expected=f"{len(stream.payments):,} equal scores",
            )
        live[name] = protocol.figures(both, answered)
    return live, f"{len(stream.payments):,} scores by each endpoint are those of the same model on features from files"

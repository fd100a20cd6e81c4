"""Writes one run as wandb does offline: ``python -m drivetrain.adapters.wandb.writing FILE``, told in FILE."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from drivetrain.core.clock import SECOND
from drivetrain.core.mirror import Mirrored

_STEP = "step"


def main(told: str) -> None:
    """Writes it below the file's folder; each metric goes by steps of its own, which W&B's one counter can't hold."""
    import wandb  # noqa: PLC0415 - deferred: an extra

    run = msgspec.json.decode(Path(told).read_bytes(), type=Mirrored)
    kept = wandb.init(
        project=run.place, id=run.run_id, name=run.name, group=run.group, job_type="train", tags=list(run.tags),
        config=dict(run.config), dir=str(Path(told).parent), mode="offline",
        settings=wandb.Settings(
            console="off", silent=True, x_disable_stats=True, x_disable_meta=True, disable_git=True, disable_code=True
        ),
    )  # fmt: skip
    for name in dict.fromkeys(point.key for point in run.points):
        kept.define_metric(name, step_metric=f"{name}/{_STEP}")
    for point in run.points:
        kept.log({point.key: point.value, f"{point.key}/{_STEP}": point.step, f"{point.key}/at": point.at / SECOND})
    kept.summary.update(run.summary)
    if run.files:
        artifact = wandb.Artifact(f"{run.group}-{run.run_id[:13]}", type="model")
        for path, file in run.files.items():
            artifact.add_file(file, name=path)
        kept.log_artifact(artifact)
    kept.finish()


if __name__ == "__main__":
    main(sys.argv[1])

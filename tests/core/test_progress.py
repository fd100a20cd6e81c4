from __future__ import annotations

from drivetrain.core.progress import Progress, Silent


def test_silence_takes_every_call():
    progress: Progress = Silent()
    progress.start("fit", total=3)
    progress.advance("fit", 2, note="two")
    progress.finish("fit", note="done")

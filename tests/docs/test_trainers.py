"""What docs/trainers.md shows can be declared, and fits."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from drivetrain.testing.trainer import make_task

PAGE = Path(__file__).parents[2] / "docs" / "trainers.md"


def test_every_block_declares_a_trainer_that_fits(tmp_path: Path) -> None:
    names: dict[str, object] = {"__name__": "project"}
    for at, block in enumerate(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)):
        path = tmp_path / f"block_{at}.py"  # a function's meaning is read from its file
        path.write_text(block)
        exec(compile(block, str(path), "exec"), names)
    declared = ["forest", "bayes", "smooth", "more"]
    declared += ["network"] if find_spec("torch") and find_spec("safetensors") else []
    task = make_task({}, "binary")
    for name in declared:
        trainer = names[name]
        assert "0x" not in repr(trainer)
        parameters = {"epochs": 2} if name == "network" else {}
        fitted = trainer.fit(replace(task, parameters=parameters))  # type: ignore[attr-defined]
        assert np.isfinite(np.asarray(fitted.predict(task.rows))).all()

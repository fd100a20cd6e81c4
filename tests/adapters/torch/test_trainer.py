from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from adapters.digits import digits, share_right
from adapters.torch import modules
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import TrainerConformance, make_task
from drivetrain.train.trainers import Torch

torch: Any = need_extra("torch")
need_extra("safetensors", "torch")
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


class TestTrainer(TrainerConformance):
    made = """
from adapters.torch.modules import small
from drivetrain.train.trainers import Torch
trainer = Torch(small, epochs=12, lr=0.01, batch=64)
"""
    tolerance = 2e-6
    rounding = 2e-6
    between_threads = 1e-4
    dies_at = 5


def test_digits(tmp_path: Path) -> None:
    started = time.process_time()
    fitted = Torch(modules.convolutions, epochs=25, batch=64, lr=0.002, patience=0).fit(digits())
    assert share_right(fitted) >= 0.98
    assert time.process_time() - started < 20


def test_it_stops_early_and_says_where() -> None:
    used = Torch(modules.small, lr=0.03, batch=64, patience=3).fit(make_task()).parameters()
    assert 1 <= int(used["epochs"]) < 100  # type: ignore[arg-type] # a number
    assert used["patience"] == 0


def test_batches_may_be_gathered_before_a_step() -> None:
    task = make_task()
    trainer = {"epochs": 3, "lr": 0.01, "patience": 0}
    whole = Torch(modules.narrowest, batch=2_000, **trainer).fit(task).predict(task.rows)
    parts = Torch(modules.narrowest, batch=250, accumulate=8, **trainer).fit(task).predict(task.rows)
    assert np.max(np.abs(whole - parts)) < 1e-5


@pytest.mark.parametrize(
    ("build", "parameters", "message"),
    [
        (modules.narrow, {}, r"margins of another shape; found \(2, 2\)"),
        (modules.nothing, {}, "nothing built no module"),
        (modules.small, {"epoch": 3}, "no parameter 'epoch'"),
        (modules.small, {"epochs": 0}, "epochs can't be 0"),
        (modules.small, {"batch": 2.5}, "batch can't be 2.5"),
        (modules.small, {"lr": "fast"}, "lr can't be 'fast'"),
    ],
)
def test_what_it_can_not_fit(build: Any, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Torch(build, **parameters).fit(make_task())


def test_a_function_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="has a name"):
        Torch(lambda inputs, outputs: None)


def test_the_process_s_own_random_numbers_and_threads_are_left_as_they_were() -> None:
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    Torch(modules.small, epochs=1).fit(replace(make_task(), threads=threads + 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_what_the_function_does_is_part_of_the_trainer_s_text() -> None:
    assert repr(Torch(modules.small)) != repr(Torch(modules.convolutions))
    assert repr(Torch(modules.small, lr=0.1)).endswith(", lr=0.1)")

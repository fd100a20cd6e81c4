from __future__ import annotations

import pytest
from scipy import stats

from drivetrain.core.errors import UsageError
from drivetrain.testing.splitter import AS_OF, many
from drivetrain.train.split.hashed import draws
from drivetrain.train.split.holdout import Holdout


def test_a_row_keeps_its_part_as_rows_come() -> None:
    frame = many(1_000)
    all_of_it, half = Holdout().cut(frame, AS_OF), Holdout().cut(frame.head(500), AS_OF)
    for part in ("train", "valid", "test"):
        assert getattr(all_of_it, part).head(500).equals(getattr(half, part))


def test_draws_are_even_and_seeds_differ() -> None:
    frame = many(5_000)
    first, second = (draws(frame, ("_entity", "_at"), seed).to_numpy() for seed in (0, 1))
    assert stats.kstest(first, "uniform").pvalue > 0.001
    assert abs(stats.spearmanr(first, second).statistic) < 0.06
    assert first.max() < 1


def test_draws_are_the_same_wherever_they_are_made() -> None:
    """Written down: another version of a library must not move rows to another part."""
    assert draws(many(3), ("_entity",), 7).round(12).to_list() == GOLDEN


GOLDEN = [0.557134106321, 0.983633229818, 0.067807551898]


@pytest.mark.parametrize("wrong", [{"test": 0.0}, {"test": 1.2}, {"test": 0.6, "valid": 0.4}, {"valid": -0.1}])
def test_shares_that_can_not_be(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="shares"):
        Holdout(**wrong)  # type: ignore[arg-type]

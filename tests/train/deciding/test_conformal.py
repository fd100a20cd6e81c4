"""Intervals and sets hold the outcome as often as asked: by simulation; and they are MAPIE's.

Golden values are of MAPIE 1.6.0 (``SplitConformalRegressor``, ``ConformalizedQuantileRegressor`` with
``symmetric_correction``, ``SplitConformalClassifier`` with ``conformity_score="lac"``), prefit, on the rows made here.
"""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Task
from drivetrain.train.deciding.conformal import Conformal, interval_of, intervals, members, reached, set_of
from drivetrain.train.deciding.unseen import Unseen
from train.deciding.worlds import CLASSES, classes, over_days, yes_or_no

AT = np.arange(200) / 10
WAVE = 3 * np.sin(AT)
CAME = WAVE + np.sin(AT * 37) * (1 + AT / 10)


def numbers(labels: np.ndarray, said: np.ndarray, levels: tuple[float, ...] = ()) -> Unseen:
    task = Task("quantile", levels=levels) if levels else Task("regression")
    return Unseen(labels, said, over_days(len(labels)), task, "the validation rows")


def softmax(at: np.ndarray) -> np.ndarray:
    power = np.exp(1.5 * np.column_stack([np.sin(at), np.sin(2 * at), np.cos(at)]))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(("coverage", "golden"), [(0.8, 1.92933938), (0.9, 2.34041713), (0.95, 2.56296603)])
def test_intervals_are_mapies(coverage: float, golden: float) -> None:
    reach, choice = reached(Conformal(coverage=coverage), numbers(CAME, WAVE))
    assert reach.reach == pytest.approx(golden, abs=1e-8)
    assert intervals(reach, np.array([1.0]))[0].tolist() == pytest.approx([1 - golden, 1 + golden])
    assert choice.rows == {"": 200}


@pytest.mark.parametrize(("coverage", "golden"), [(0.8, 0.7593366), (0.9, 1.11599944)])
def test_quantiles_moved_apart_are_mapies(coverage: float, golden: float) -> None:
    said = np.column_stack([WAVE - 1, WAVE + 0.2, WAVE + 1.5])
    tail = (1 - coverage) / 2
    reach, _ = reached(Conformal(coverage=coverage), numbers(CAME, said, (tail, 0.5, 1 - tail)))
    assert (reach.between, reach.reach) == ((0, 2), pytest.approx(golden, abs=1e-7))


@pytest.mark.parametrize(("coverage", "golden"), [(0.8, [31, 34, 31]), (0.9, [39, 38, 39]), (0.95, [45, 41, 45])])
def test_sets_are_mapies(coverage: float, golden: list[int]) -> None:
    said = softmax(AT)
    labels = ((np.sin(AT * 91) + 1)[:, None] / 2 > np.cumsum(said, axis=1)).sum(axis=1).clip(0, 2).astype(float)
    unseen = Unseen(labels, said, over_days(200), Task("multiclass", CLASSES), "the validation rows")
    reach, _ = reached(Conformal(coverage=coverage), unseen)
    assert members(reach, softmax(np.arange(50) / 7)).sum(axis=0).tolist() == golden


def sampled(coverage: float, rows: int, kind: str, repeats: int) -> float:
    """How often the outcome of a new row lies inside, over many worlds that calibrate anew."""
    inside = 0.0
    chance = np.random.default_rng(rows)
    for seed in range(repeats):
        if kind in {"regression", "ties", "quantile"}:
            said, noise = chance.normal(size=rows + 50), chance.standard_t(3, rows + 50)
            labels = said + noise
            if kind == "ties":
                said, labels = np.round(said), np.round(labels)
            levels: tuple[float, ...] = ()
            if kind == "quantile":
                said, levels = np.column_stack([said - 1, said + 1]), (0.1, 0.9)
            reach, _ = reached(Conformal(coverage=coverage), numbers(labels[:rows], said[:rows], levels))
            ends = intervals(reach, said[rows:])
            inside += ((labels[rows:] >= ends[:, 0]) & (labels[rows:] <= ends[:, 1])).mean()
            continue
        whole = (
            yes_or_no(rows + 50, seed=seed, slope=3) if kind == "binary" else classes(rows + 50, seed=seed, sharper=3)
        )
        late = np.arange(rows + 50) >= rows
        reach, _ = reached(Conformal(coverage=coverage), whole.among(~late))
        held = members(reach, whole.answers[late])
        inside += held[np.arange(50), whole.labels[late].astype(int)].mean()
    return inside / repeats


@pytest.mark.parametrize("rows", [200, 1_000, 5_000])
@pytest.mark.parametrize("kind", ["regression", "quantile", "multiclass"])
def test_it_holds_what_it_promises(kind: str, rows: int) -> None:
    """Between the promise and 1 / (n + 1) more where errors do not tie (Lei et al., 2018); 300 worlds of 50 rows."""
    found = sampled(0.9, rows, kind, 300)
    noise = 4 * np.sqrt(0.09 / (300 * 50) + 0.09 / (300 * rows))
    assert 0.9 - noise <= found
    if kind != "multiclass":  # there no set is left empty
        assert found <= 0.9 + 1 / (rows + 1) + noise


@pytest.mark.parametrize("kind", ["ties", "binary"])
def test_ties_and_sets_that_are_never_empty_only_add(kind: str) -> None:
    assert sampled(0.9, 200, kind, 200) >= 0.9 - 0.012


def test_a_rare_class_has_its_own_share() -> None:
    """Over all, sets that leave the rare class out nearly always would do."""
    chance = np.random.default_rng(0)
    labels = (chance.random(8_000) < 0.06).astype(float)
    said = np.clip(0.06 + 0.05 * (labels - 0.06) + chance.normal(0, 0.05, 8_000), 0.001, 0.999)
    rows = Unseen(labels, said, over_days(8_000), Task("binary"), "the validation rows")
    early, late = rows.among(np.arange(8_000) < 4_000), rows.among(np.arange(8_000) >= 4_000)
    held = {}
    for each in (False, True):
        reach, choice = reached(Conformal(coverage=0.9, each_class=each), early)
        inside = members(reach, late.answers)[np.arange(4_000), late.labels.astype(int)]
        held[each] = inside[late.labels == 1].mean()
    assert held[False] < 0.2
    assert held[True] == pytest.approx(0.9, abs=0.05)
    assert inside[late.labels == 0].mean() == pytest.approx(0.9, abs=0.03)
    assert choice.rows == {"no": int((early.labels == 0).sum()), "yes": int(early.labels.sum())}


def test_one_answer_is_read_as_a_batch_is() -> None:
    for unseen, coverage in ((classes(300), 0.95), (yes_or_no(300), 0.8)):
        reach, _ = reached(Conformal(coverage=coverage), unseen)
        inside = members(reach, unseen.answers)
        names = unseen.task.classes or ("no", "yes")
        for answer, row in zip(unseen.answers.tolist(), inside, strict=True):
            assert set_of(reach, answer) == [name for name, held in zip(names, row, strict=True) if held]
        assert inside.any(axis=1).all()
    said = np.column_stack([WAVE - 9, WAVE + 9])
    for unseen in (numbers(CAME, WAVE), numbers(CAME, said, (0.05, 0.95))):
        reach, _ = reached(Conformal(), unseen)
        ends = intervals(reach, unseen.answers)
        assert [interval_of(reach, answer) for answer in unseen.answers.tolist()] == [
            tuple(row) for row in ends.tolist()
        ]
        assert (ends[:, 0] <= ends[:, 1]).all()
    assert reach.reach < 0, "quantiles too far apart are moved together"


@pytest.mark.parametrize(
    ("levels", "coverage", "pair"),
    [
        ((0.05, 0.1, 0.5, 0.9, 0.95), 0.8, (1, 3)),
        ((0.05, 0.1, 0.5, 0.9, 0.95), 0.95, (0, 4)),
        ((0.1, 0.5, 0.8), 0.9, (0, 2)),
    ],
)
def test_the_nearest_pair_of_quantiles_is_taken(
    levels: tuple[float, ...], coverage: float, pair: tuple[int, int]
) -> None:
    said = np.column_stack([WAVE + level for level in levels])
    assert reached(Conformal(coverage=coverage), numbers(CAME, said, levels))[0].between == pair


def test_bad_input_is_named() -> None:
    for coverage in (0.0, 1.0, -0.5, 90):
        with pytest.raises(UsageError, match="coverage is a share of the outcomes; found"):
            Conformal(coverage=coverage)
    with pytest.raises(UsageError, match="neither intervals nor sets where the label is an order within groups"):
        Conformal().check("ranking")
    with pytest.raises(UsageError, match="each_class is of classes, and the label is a number"):
        Conformal(each_class=True).check("regression")
    with pytest.raises(UsageError, match="an interval is made from two quantiles"):
        reached(Conformal(), numbers(CAME, WAVE[:, None], (0.5,)))
    with pytest.raises(TrainingError, match=r"found 98 rows; expected 99 or more"):
        reached(Conformal(coverage=0.99), numbers(CAME[:98], WAVE[:98]))
    assert reached(Conformal(coverage=0.99), numbers(CAME[:99], WAVE[:99]))[0].reach == np.abs(CAME - WAVE)[:99].max()
    rare = yes_or_no(300)
    rare = rare._replace(labels=(np.arange(300) < 8).astype(float))
    with pytest.raises(TrainingError, match="the rows of 'yes' among the validation rows; found 8 rows; expected 9"):
        reached(Conformal(each_class=True), rare)

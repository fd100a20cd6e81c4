import msgspec
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from drivetrain.monitor.estimate import calibration
from drivetrain.monitor.estimate.binary import estimate_binary
from drivetrain.monitor.estimate.calibration import MOST_BLOCKS, expit, margins_of, observe
from monitor.estimate import nannyml

HUNDREDTHS = np.arange(101) / 100


def test_calibrated_probabilities_stay_as_they_are():
    random = np.random.default_rng(1)
    said = random.beta(1, 4, 20_000)
    seen = observe(said, (random.random(20_000) < said).astype(float), np.arange(20_000) // 500)
    grid = np.linspace(0.02, 0.8, 40)
    assert seen.curves(0).shares(grid)[0] == pytest.approx(grid, abs=0.03)
    assert seen.shock < 0.1
    assert seen.blocks == MOST_BLOCKS


@pytest.mark.parametrize(
    "bent", [lambda m: 0.5 * m - 1, lambda m: 1.8 * m + 0.5, lambda m: np.where(m > -1, m, 3 * m + 2)]
)
def test_what_they_mean_is_learned(bent):
    random = np.random.default_rng(2)
    said = random.beta(2, 4, 40_000)
    means = expit(bent(margins_of(said)))
    seen = observe(said, (random.random(40_000) < means).astype(float), np.arange(40_000) // 1_000)
    grid = np.quantile(said, np.linspace(0.02, 0.98, 30))
    assert seen.curves(0).shares(grid)[0] == pytest.approx(expit(bent(margins_of(grid))), abs=0.025)


def test_without_hinges_it_is_logistic_regression():
    random = np.random.default_rng(3)
    said = np.round(random.beta(2, 4, 300), 2).clip(0.01, 0.99)
    labels = (random.random(300) < said**2).astype(float)
    seen = observe(said, labels, np.arange(300) // 30)
    grid = np.linspace(0.1, 0.8, 8)
    theirs = LogisticRegression(C=1e6).fit(margins_of(said)[:, None], labels)
    assert seen.curves(0).shares(grid)[0] == pytest.approx(
        theirs.predict_proba(margins_of(grid)[:, None])[:, 1], abs=0.06
    )


def test_scores_rounded_to_nought_and_one_do_not_tilt_the_rest():
    reference, repaid = np.array(nannyml.REFERENCE), np.array(nannyml.REPAID)
    said = np.repeat(np.tile(HUNDREDTHS, 2), np.concatenate([repaid, reference - repaid]))
    labels = np.repeat([1.0, 0.0], [repaid.sum(), (reference - repaid).sum()])
    seen = observe(said, labels, np.random.default_rng(0).integers(0, 50, len(said)))
    shares = seen.curves(0).shares(HUNDREDTHS)[0]
    full = reference > 150
    assert shares[full] == pytest.approx((repaid / np.maximum(reference, 1))[full], abs=0.06)
    for chunk in ("first", "sixth"):
        window = np.repeat(HUNDREDTHS, getattr(nannyml, chunk.upper()))
        found = estimate_binary(seen, window, np.arange(len(window)) // 1_000, threshold=nannyml.THRESHOLD)
        for name, value in nannyml.ESTIMATES[chunk].items():
            assert found[name].value == pytest.approx(value, abs=2e-3), name
            assert found[name].low < value < found[name].high


@pytest.mark.parametrize("shock", [0.0, 0.5])
def test_what_days_share_is_found(shock):
    random = np.random.default_rng(4)
    day = np.repeat(np.arange(120), 150)
    said = random.beta(2, 4, len(day))
    means = expit(margins_of(said) + random.normal(0, shock, 120)[day])
    seen = observe(said, (random.random(len(day)) < means).astype(float), day)
    assert seen.shock == pytest.approx(shock, abs=0.12)


def test_weights_count_rows_as_often():
    random = np.random.default_rng(5)
    said = np.round(random.beta(2, 4, 900), 2)
    labels, day = (random.random(900) < said).astype(float), np.arange(900) // 30
    twice = np.where(said > 0.4, 2.0, 1.0)
    often = np.repeat(np.arange(900), twice.astype(int))
    weighted = observe(said, labels, day, twice).curves(0).shares(HUNDREDTHS[5:95])
    repeated = observe(said[often], labels[often], day[often]).curves(0).shares(HUNDREDTHS[5:95])
    assert weighted == pytest.approx(repeated, abs=0.03)


def test_a_version_s_curves_are_fitted_once_however_often_they_are_read(monkeypatch):
    random = np.random.default_rng(11)
    said = random.beta(1, 4, 3_000)
    seen = observe(said, (random.random(3_000) < said).astype(float), np.arange(3_000) // 100)
    fits: list[int] = []
    fit = calibration._fit
    monkeypatch.setattr(calibration, "_fit", lambda *given: fits.append(1) or fit(*given))
    first = seen.curves(20).shares(said, slice(None))
    kept = msgspec.msgpack.encode(seen)
    again = [msgspec.msgpack.decode(kept, type=type(seen)).curves(20).shares(said, slice(None)) for _ in range(3)]
    assert len(fits) == 1
    assert all((one == first).all() for one in again)
    assert (seen.curves(20, seed=1).shares(said, slice(None)) != first).any()
    assert len(fits) == 2

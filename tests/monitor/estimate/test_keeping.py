import msgspec
import numpy as np
import pytest

from drivetrain.core.errors import StoreError
from drivetrain.core.records import Task
from drivetrain.monitor.estimate.keeping import keep, keep_beside, load_kept
from drivetrain.monitor.estimate.window import estimate_window
from drivetrain.monitor.reference import load, profile
from monitor.estimate.world import SCHEMA, rows


def test_it_is_kept_beside_a_profile_that_older_readers_still_read():
    values, said, labels, ats = rows(1)
    kept = keep(values, said, labels, ats, schema=SCHEMA, threshold=0.3)
    plain = profile(values, said, ats, SCHEMA)
    beside = keep_beside(plain, kept)
    assert load(beside) == load(plain)
    found = load_kept(beside)
    assert found == kept
    assert found.threshold == 0.3
    assert len(found.sample.labels) == 2_000
    assert len(beside) < 120_000


def test_versions_from_before_have_none_and_that_is_said():
    values, said, _, ats = rows(1)
    assert load_kept(profile(values, said, ats, SCHEMA)) is None
    found = estimate_window(None, values, said, ats, version=3)
    assert found.metrics == {}
    assert found.estimation.refused.startswith("not estimated: v3 was evaluated before estimates were kept")


def test_what_is_too_little_or_of_another_kind_is_not_kept():
    values, said, labels, ats = rows(1)
    assert keep(values[:150], said[:150], labels[:150], ats[:150], schema=SCHEMA) is None
    assert keep(values, said[:, None], labels, ats, schema=SCHEMA, task=Task("quantile", levels=(0.5,))) is None
    plain = profile(values, said, ats, SCHEMA)
    assert keep_beside(plain, None) == plain


def test_values_that_may_not_be_kept_are_missing():
    values, said, labels, ats = rows(1)
    kept = keep(values, said, labels, ats, schema=SCHEMA, withheld=frozenset({"y"}))
    assert not kept.sample.codes[:, 1].any()
    assert kept.sample.columns[1].edges == ()
    assert kept.sample.codes[:, 0].any()


def test_bytes_that_are_no_profile_are_refused():
    with pytest.raises(StoreError, match="what estimates rest on can't be read"):
        load_kept(b"\xc1")
    with pytest.raises(StoreError, match="can't be read"):
        load_kept(msgspec.msgpack.encode({"estimate": {"layout": 1}}))


def test_rows_that_do_not_fit_and_predictions_that_are_no_numbers_are_told():
    values, said, labels, ats = rows(1)
    kept = keep(values, said, labels, ats, schema=SCHEMA)
    assert "logged rows have 2 values" in estimate_window(kept, values[:, :2], said, ats).estimation.refused
    lost = np.full(len(said), np.nan)
    assert "no prediction that is a number" in estimate_window(kept, values, lost, ats).estimation.refused
    part = np.where(np.arange(len(said)) % 2 == 0, said, np.nan)
    assert estimate_window(kept, values, part, ats).metrics["roc_auc"].count == len(said) // 2


def test_inputs_that_the_evaluation_had_nothing_like_are_told():
    values, said, labels, ats = rows(1, 30, 60)
    kept = keep(values, said, labels, ats, schema=SCHEMA)
    values, said, _, ats = rows(2, shift=6.0)
    found = estimate_window(kept, values, said, ats)
    assert found.estimation.refused.startswith("the window's inputs are unlike the evaluation's: 1,800 of its rows")
    assert found.metrics["roc_auc"].count == len(said)
    assert found.estimation.plain == {}

"""Every way to cut, held against the same suite."""

from __future__ import annotations

import pytest

from drivetrain.testing.splitter import SplitterConformance
from drivetrain.train.split import Splitter, TimeSplit
from drivetrain.train.split.group_split import GroupSplit
from drivetrain.train.split.holdout import Holdout
from drivetrain.train.split.purged import PurgedSplit
from drivetrain.train.split.rolling_origin import RollingOrigin
from drivetrain.train.split.stratified import StratifiedSplit

WAYS = {
    "time": TimeSplit(test="20d", valid="20d"),
    "time with a gap": TimeSplit(test="20d", valid="20d", embargo="2d", start="2013-01-03"),
    "rolling": RollingOrigin(folds=3, test="20d", valid="10d"),
    "rolling with a gap": RollingOrigin(folds=2, test="10d", valid="10d", step="20d", embargo="1d"),
    "purged": PurgedSplit(folds=4, test="20d"),
    "purged with a gap": PurgedSplit(folds=3, test="20d", horizon="3d", embargo="2d"),
    "groups": GroupSplit("group"),
    "groups of two columns": GroupSplit(["group", "_entity"], seed=4),
    "groups in time": GroupSplit("group", test=0.4, valid=0.3, within=TimeSplit(test="30d", valid="30d")),
    "stratified": StratifiedSplit(),
    "holdout": Holdout(seed=2),
}


class TestSplitters(SplitterConformance):
    @pytest.fixture(params=WAYS)
    def splitter(self, request: pytest.FixtureRequest) -> Splitter:
        return WAYS[request.param]


del SplitterConformance

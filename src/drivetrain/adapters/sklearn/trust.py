"""Which types a skops file may hold."""

from __future__ import annotations

import zipfile
from pathlib import Path

from drivetrain.adapters.sklearn.skops import skops_io
from drivetrain.core.errors import StoreError

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn._loss._loss.CyAbsoluteError",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfGammaLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn._loss._loss.CyHalfPoissonLoss",
        "sklearn._loss._loss.CyHalfSquaredError",
        "sklearn._loss._loss.CyHalfTweedieLoss",
        "sklearn._loss._loss.CyHalfTweedieLossIdentity",
        "sklearn._loss._loss.CyPinballLoss",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.AbsoluteError",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfGammaLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfPoissonLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn._loss.loss.PinballLoss",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.multiclass._ConstantPredictor",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
    }
)
"""Parts of scikit-learn's own estimators that skops does not trust by itself; nothing else is loaded."""


def unknown_types(path: Path) -> list[str]:
    """Types in a skops file that skops must be told to trust, all of them parts of scikit-learn's own estimators.

    Raises:
        StoreError: It is no such file, or holds others.
    """
    skops = skops_io()
    try:
        found = set(skops.get_untrusted_types(file=path))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError) as error:
        raise StoreError(f"{path} is no skops file: {error}") from None
    if found - TRUSTED:
        raise StoreError(f"{path} holds types that are not trusted", found=", ".join(sorted(found - TRUSTED)))
    return sorted(found)


def strange_types(path: Path) -> list[str]:
    """Types in a skops file that are neither known to skops nor parts of scikit-learn's own estimators.

    Raises:
        ValueError: It is no such file; zipfile's and json's errors, too.
    """
    skops = skops_io()
    return sorted(set(skops.get_untrusted_types(file=path)) - TRUSTED)

"""How a project names a trainer: frozen records; the adapter that each one names does the work."""

from drivetrain.train.trainers.boosted import CatBoost, LightGBM, XGBoost
from drivetrain.train.trainers.function import trainer
from drivetrain.train.trainers.networks import Flax, Keras, Torch
from drivetrain.train.trainers.sklearn import Sklearn
from drivetrain.train.trainers.text import TextLinear, Transformer

__all__ = [
    "CatBoost",
    "Flax",
    "Keras",
    "LightGBM",
    "Sklearn",
    "TextLinear",
    "Torch",
    "Transformer",
    "XGBoost",
    "trainer",
]

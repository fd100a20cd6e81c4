"""The model as a BentoML service; ``bentoml serve`` runs it."""

import os

import bentoml
import lightgbm
import numpy as np


@bentoml.service(logging={"access": {"enabled": False}})
class Scores:
    """One model, one worker, which is the default."""

    def __init__(self) -> None:
        self.booster = lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])

    @bentoml.api
    def predict(self, instances: np.ndarray) -> np.ndarray:
        """Predictions of a request's instances."""
        return self.booster.predict(instances)

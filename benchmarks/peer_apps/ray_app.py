"""The model as a Ray Serve deployment of one replica, behind the default proxy."""

import os
import sys

import lightgbm
import numpy as np
import ray
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=1, logging_config={"enable_access_log": False})
class Scores:
    """One replica."""

    def __init__(self, model: str) -> None:
        self.booster = lightgbm.Booster(model_file=model)

    async def __call__(self, request: Request) -> dict[str, list[float]]:
        """Predictions of a request's instances."""
        body = await request.json()
        return {"predictions": self.booster.predict(np.array(body["instances"])).tolist()}


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, logging_level="warning")
    serve.start(
        http_options={"host": "127.0.0.1", "port": int(sys.argv[1])}, logging_config={"enable_access_log": False}
    )
    serve.run(Scores.bind(os.environ["BENCH_MODEL"]), blocking=True)

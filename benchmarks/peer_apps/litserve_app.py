"""The model behind LitServe, one worker and one process for HTTP."""

import os
import sys

import lightgbm
import litserve
import numpy as np


class Scores(litserve.LitAPI):
    """What LitServe asks an author for."""

    def setup(self, device: str) -> None:
        """Loads the model in the worker."""
        del device
        self.booster = lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])

    def decode_request(self, request: dict[str, list[list[float]]]) -> np.ndarray:
        """The rows of a request."""
        return np.array(request["instances"])

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predictions of rows."""
        return self.booster.predict(x)

    def encode_response(self, output: np.ndarray) -> dict[str, list[float]]:
        """The answer."""
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Scores(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )

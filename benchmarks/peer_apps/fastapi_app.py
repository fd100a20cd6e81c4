"""The model behind FastAPI, as its documentation puts a model there; uvicorn runs it."""

import os

import lightgbm
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, create_model

booster = lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])
Instance = create_model("Instance", **{f"x{at}": (float, ...) for at in range(booster.num_feature())})


class Body(BaseModel):
    """A request."""

    instances: list[Instance]


app = FastAPI()


@app.post("/predict")
def predict(body: Body) -> dict[str, list[float]]:
    """Predictions of a request's instances."""
    rows = np.array([list(one.model_dump().values()) for one in body.instances])
    return {"predictions": booster.predict(rows).tolist()}

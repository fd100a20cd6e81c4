"""Writes the model as an MLflow model, which ``mlflow models serve`` then serves."""

import os
import sys

import lightgbm
import mlflow

if __name__ == "__main__":
    booster = lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])
    mlflow.lightgbm.save_model(booster, sys.argv[1], pip_requirements=["lightgbm"])

"""MLflow: servers of its REST API, spoken to without its client, and models laid out as its clients load them."""

from drivetrain.adapters.mlflow.layout import laid_out
from drivetrain.adapters.mlflow.server import MlflowServer

layout = laid_out
server = MlflowServer

__all__ = ["layout", "server"]

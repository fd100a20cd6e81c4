"""An ASGI application as a Ray Serve deployment; Ray starts its replicas, routes to them and replaces them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivetrain.core.errors import MissingExtra


def deployment(make: Callable[[], Any], **options: Any) -> Any:  # noqa: ANN401 - Ray's own types, and its own options
    """A deployment each of whose replicas opens the application and closes it with the replica.

    Args:
        make: Makes the ASGI application, in the replica: ``lambda: dt.asgi_app("shop", "returned")``.
        options: As ``ray.serve.deployment`` takes them, such as ``num_replicas``.

    Returns:
        What ``ray.serve.run`` takes, ``route_prefix`` being where it is mounted.

    Raises:
        MissingExtra: Ray is not installed.
    """
    try:
        from ray import serve  # noqa: PLC0415 - this module is imported by name, also where Ray is not
    except ModuleNotFoundError as error:
        raise MissingExtra(f"the ray adapter needs {error.name}", do='Run: pip install "drivetrain[ray]"') from error

    def build() -> Any:  # noqa: ANN401 - Ray takes no other callable for one that makes the application
        return make()

    return serve.deployment(**{"name": "drivetrain", **options})(serve.ingress(build)()).bind()

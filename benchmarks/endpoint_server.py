"""Starts what ``endpoint_apps.py`` holds: drivetrain's server, or the bare loop.

python benchmarks/endpoint_server.py FOLDER PORT bare|process|disk|memory [WORKERS]
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.server import serve
from endpoint_apps import bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("port", type=int)
    parser.add_argument("what", choices=["bare", "process", "disk", "memory"])
    parser.add_argument("workers", type=int, nargs="?", default=1)
    options = parser.parse_args()
    if options.what == "bare":
        loader: Any = partial(bare, options.folder)  # typed for plain callables, takes RSGI objects
        server = Granian(
            "bare",
            port=options.port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
        )
        server.serve(target_loader=loader, wrap_loader=False)
    else:
        settings = ServeSettings(port=options.port, workers=options.workers)
        serve("endpoint_apps:application", settings, arguments=(options.folder, options.what, str(options.port)))


if __name__ == "__main__":
    main()

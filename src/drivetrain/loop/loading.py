"""Reads ``project.py``: the only place where a user's code is imported."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import TypeVar

from drivetrain.core.errors import DrivetrainError, ProjectError
from drivetrain.loop.definitions import Definitions

P = TypeVar("P", bound=Definitions)


def load_file(path: Path, kind: type[P]) -> P:
    """Runs a project file and finds the one project in it.

    Modules beside the file can be imported by it under their own names.

    Raises:
        ProjectError: The file is missing, fails, or declares no project or several.
    """
    if not path.is_file():
        raise ProjectError(
            f"no project in {path.parent}",
            expected=f"a file {path.name} that makes a dt.Project",
            do="Go to the project's folder, name it with --project, or make one with: drivetrain init",
        )
    _look_beside(path)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ProjectError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except DrivetrainError as error:
        raise ProjectError(f"{_place(error, path)}: {error}") from error
    except Exception as error:  # whatever a user's file raises is told with its line
        raise ProjectError(
            f"{_place(error, path)}: {type(error).__name__}: {error}", do="Mend that line and run again"
        ) from error
    found = [value for value in vars(module).values() if isinstance(value, kind)]
    if len(found) != 1:
        raise ProjectError(
            f"{path} must make one project", found=f"{len(found)}", expected="one dt.Project(…) at its top level"
        )
    return found[0]


def _look_beside(path: Path) -> None:
    """Makes what is imported by a name come from the file's own folder, also where another project was loaded before.

    A copy of a project has modules of the same names; those of the original know of the original's folder.
    """
    beside = str(path.parent)
    sys.path[:] = [beside, *(entry for entry in sys.path if entry != beside)]
    ours = {one.stem if one.suffix == ".py" else one.name for one in path.parent.iterdir()}
    strange = {name for name in ours if _is_anothers(getattr(sys.modules.get(name), "__file__", None), path)}
    for name in [name for name in sys.modules if name.partition(".")[0] in strange]:
        del sys.modules[name]


def _is_anothers(module: str | None, path: Path) -> bool:
    """Whether a module's file lies beside another project's, or where nothing is any more."""
    if module is None:
        return False
    home = Path(module).parent.parent if Path(module).name == "__init__.py" else Path(module).parent
    return home != path.parent and ((home / path.name).is_file() or not home.is_dir())


def _place(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == path.parent
    ]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else path.name

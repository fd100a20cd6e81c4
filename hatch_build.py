"""Builds the compiled parts of the package where there is a C compiler; everywhere else the package does without it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = {
    "src/drivetrain/features/online/_kernel.c": "online features are read",
    "src/drivetrain/features/online/_events.c": "events are looked at one by one",
    "src/drivetrain/data/privacy/_kernel.c": "personal data is looked for",
}
"""Source → what is done in Python without it, which takes longer."""
STABLE = "0x030B0000"  # Python 3.11's stable ABI: one build serves every later version


class Kernel(BuildHookInterface):
    """Compiles each of the sources; ``DRIVETRAIN_PURE=1`` leaves them out."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the compiled modules to the wheel, or says why they are not there."""
        del version
        for source, work in SOURCES.items():
            module = self._built(Path(self.root) / source, work)
            if module is not None:
                build_data["artifacts"].append(f"/{module.relative_to(self.root)}")
                build_data["pure_python"] = False
                build_data["tag"] = f"cp311-abi3-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"

    def _built(self, source: Path, work: str) -> Path | None:
        module = source.with_suffix(".abi3.so")
        module.unlink(missing_ok=True)
        if os.environ.get("DRIVETRAIN_PURE") or sys.platform == "win32" or sys.byteorder != "little":
            return None
        draft = module.with_suffix(".building")
        compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
        linked = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
        command = [*shlex.split(compiler), "-O3", "-fPIC", f"-DPy_LIMITED_API={STABLE}", *linked]
        command += ["-I", sysconfig.get_path("include"), str(source), "-o", str(draft)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the compiler
        except OSError as error:
            self.app.display_warning(f"no compiler ({error}): {work} in Python, which takes longer")
            return None
        if done.returncode:
            draft.unlink(missing_ok=True)
            self.app.display_warning(f"{source} does not compile; {work} in Python:\n{done.stderr}")
            return None
        draft.replace(module)
        return module

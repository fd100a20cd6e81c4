"""A model's folder as MLflow lays it out: ``MLmodel``, which says what is in it, and what loading it takes."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from typing import Any

import msgspec

_PLAIN = re.compile(r"(?!(?:null|true|false|yes|no|on|off|y|n)$)[a-z][a-z0-9_]*")
"""Keys that YAML of any version takes for what they are without quotes."""


def laid_out(about: Mapping[str, Any], packages: Mapping[str, str]) -> dict[str, bytes]:
    """The files beside the model's own.

    Args:
        about: What ``MLmodel`` says.
        packages: Package → version, of what loading the model takes; of no version where it is empty.

    Returns:
        Path → bytes.
    """
    needs = [f"{name}=={version}" if version else name for name, version in packages.items()]
    python = platform.python_version()
    conda = {
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": needs}],
        "name": "mlflow-env",
    }
    environment = {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    return {
        "MLmodel": in_yaml(about).encode(),
        "conda.yaml": in_yaml(conda).encode(),
        "python_env.yaml": in_yaml(environment).encode(),
        "requirements.txt": "".join(f"{line}\n" for line in needs).encode(),
    }


def in_yaml(said: object, indent: int = 0) -> str:
    """YAML (1.1 and 1.2 alike) of what JSON can hold; texts are quoted as JSON quotes them, which is YAML too.

    Example:
        >>> print(in_yaml({"flavors": {"onnx": {"data": "model.onnx"}}, "list": ["a: b", 1, None]}), end="")
        flavors:
          onnx:
            data: "model.onnx"
        list:
        - "a: b"
        - 1
        - null
    """
    space = "  " * indent
    if isinstance(said, Mapping) and said:
        return "".join(f"{space}{_key(name)}:{_below(value, indent)}" for name, value in said.items())
    if isinstance(said, list | tuple) and said:
        return "".join(f"{space}- {in_yaml(value, indent + 1).lstrip()}" for value in said)
    return f"{space}{msgspec.json.encode(said).decode()}\n"


def _below(value: object, indent: int) -> str:
    if isinstance(value, Mapping) and value:
        return f"\n{in_yaml(value, indent + 1)}"
    if isinstance(value, list | tuple) and value:
        return f"\n{in_yaml(value, indent)}"
    return f" {in_yaml(value)}"


def _key(name: object) -> str:
    text = str(name)
    return text if _PLAIN.fullmatch(text) else msgspec.json.encode(text).decode()

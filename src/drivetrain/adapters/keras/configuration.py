"""A model's configuration, judged before anything is made of it.

Keras makes objects of what a configuration names: a ``Lambda`` layer is Python code, a custom class is whatever its
module does when it is imported. Keras's own ``safe_mode`` has been got around more than once (CVE-2025-1550, 8747,
9906). Here a configuration may name Keras's own classes alone, and of those none that carry code or read files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_OWN = ("keras", "keras.src")
_PLAIN = frozenset({"__keras_tensor__", "__tuple__", "__slice__", "__ellipsis__"})
_CODE = frozenset(
    {"Lambda", "__lambda__", "function", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "StringLookup",
     "IntegerLookup", "TextVectorization"}
)  # fmt: skip
"""Of Keras's own, what carries code, or names files to read."""


def strange_parts(configuration: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Names of what a configuration may not hold, each once."""
    return sorted(set(_strange(configuration)))


def _strange(node: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        for each in node:
            yield from _strange(each)
    elif isinstance(node, dict):
        name = node.get("class_name")
        if isinstance(name, str) and "config" in node and name not in _PLAIN:
            module, registered = node.get("module"), node.get("registered_name")
            own = isinstance(module, str) and any(module == root or module.startswith(f"{root}.") for root in _OWN)
            if name in _CODE or not own or registered not in {None, name}:
                yield f"{module}.{name}" if module else name
        for each in node.values():
            yield from _strange(each)

"""Content digests: equal meaning, equal digest; 32 hex characters of BLAKE2b."""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

Digest: TypeAlias = str
"""32 lower-case hex characters: BLAKE2b with a 16-byte result."""

_CHUNK = 1 << 20
_canonical = msgspec.msgpack.Encoder(order="deterministic", decimal_format="string")


def digest_bytes(data: bytes | bytearray | memoryview) -> Digest:
    """Digest of bytes as they are."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def digest_file(path: Path) -> Digest:
    """Digest of a file's bytes, read in pieces."""
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            state.update(piece)
    return state.hexdigest()


def digest(value: object) -> Digest:
    """Digest of anything msgspec can encode; mappings and sets in any order give the same one."""
    return digest_bytes(_canonical.encode(value))


def code_digest(function: Callable[..., object]) -> Digest:
    """Digest of what a function means: its syntax tree, and those of the plain functions and constants it uses.

    Comments, blank lines and docstrings change nothing. Names, and attributes of modules, are followed to functions
    in files beside or below the function's own, and to constants; library code counts by its name.
    """
    home = getattr(getattr(function, "__code__", None), "co_filename", "")
    return digest(_meaning(function, str(Path(home).parent), set()))


def _meaning(function: Callable[..., object], home: str, seen: set[str]) -> list[object]:
    name = str(getattr(function, "__qualname__", repr(type(function))))
    place = f"{getattr(function, '__module__', '')}.{name}"
    if place in seen:
        return [name]
    seen.add(place)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return [name]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.decorator_list = []
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    parts: list[object] = [ast.dump(tree)]
    for used, value in sorted(_used(tree, getattr(function, "__globals__", {})).items()):
        if inspect.isfunction(value) and value.__code__.co_filename.startswith(home):
            parts.append([used, _meaning(value, home, seen)])
        elif isinstance(value, int | float | str | bytes | tuple | frozenset | list | dict):
            parts.append([used, repr(value)])
    return parts


def _used(tree: ast.AST, scope: dict[str, object]) -> dict[str, object]:
    used: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in scope:
            used[node.id] = scope[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = scope.get(node.value.id)
            if inspect.ismodule(module) and hasattr(module, node.attr):
                used[f"{node.value.id}.{node.attr}"] = getattr(module, node.attr)
    return used

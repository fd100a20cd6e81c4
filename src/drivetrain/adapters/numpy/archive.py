"""A network's file: parts by name in a zip that is the same bytes for the same parts, and what stands around it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from drivetrain.core.errors import StoreError
from drivetrain.core.preparation import Network

_NETWORK = "network.json"
_MOMENT = (1980, 1, 1, 0, 0, 0)


def pack(network: Network, parts: Mapping[str, bytes]) -> bytes:
    """The file's bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted({**parts, _NETWORK: msgspec.json.encode(network)}.items()):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), data)
    return held.getvalue()


def unpack(path: Path, names: tuple[str, ...], fields: int) -> tuple[Network, list[bytes]]:
    """What stands around the network, and its parts.

    Args:
        path: The file.
        names: Its parts; it may hold no others.
        fields: How many columns it must read.

    Raises:
        StoreError: It is no such file, is not whole, or reads other columns.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if set(archive.namelist()) != {*names, _NETWORK}:
                raise StoreError(f"{path} holds other parts", found=archive.namelist(), expected=[*names, _NETWORK])
            network = msgspec.json.decode(archive.read(_NETWORK), type=Network)
            parts = [archive.read(name) for name in names]
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path} is no network's file: {error}") from None
    if network.preparation.fields != fields:
        raise StoreError(
            f"{path} reads other columns", found=f"{network.preparation.fields} columns", expected=f"{fields} fields"
        )
    return network, parts

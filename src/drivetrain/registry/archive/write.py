"""Writes a version as one file: there whole, or not at all."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import msgspec

from drivetrain.core.errors import StoreError
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.ids import new_id
from drivetrain.core.signing import SigningKey
from drivetrain.registry.archive.manifest import BLOBS, DOMAIN, MANIFEST, SEAL, Manifest, Seal
from drivetrain.store.bundle import Store

_MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of every entry: the same version gives the same file."""


def write_archive(store: Store, manifest: Manifest, path: Path, key: SigningKey | None = None) -> str:
    """Writes an archive.

    Args:
        store: Where the blobs are.
        manifest: What it says of itself.
        path: The file; replaced if it is there.
        key: Who seals it; nobody if none.

    Returns:
        Digest of the manifest.

    Raises:
        StoreError: A blob is missing or damaged, or the file can't be written.
    """
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    aside = path.with_name(f".{path.name}.{new_id()}")
    try:
        with aside.open("xb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo(MANIFEST, _MOMENT), text, zipfile.ZIP_DEFLATED)
                if key is not None:
                    seal = Seal(key=key.id, value=key.sign(DOMAIN + text).hex())
                    archive.writestr(zipfile.ZipInfo(SEAL, _MOMENT), msgspec.json.encode(seal))
                for digest in sorted(manifest.blobs):
                    entry = zipfile.ZipInfo(BLOBS + digest, _MOMENT)
                    archive.writestr(entry, store.blobs.get(digest), zipfile.ZIP_DEFLATED)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise StoreError(f"{path} can't be written: {error.strerror or error}", do="Free some disk space") from error
    finally:
        aside.unlink(missing_ok=True)
    return digest_bytes(text)

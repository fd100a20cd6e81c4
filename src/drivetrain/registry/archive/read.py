"""Reads an archive without trusting any of it: nothing is unpacked by name, and nothing in it is run or unpickled."""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from drivetrain.core.errors import RefusedError, SignatureRefused, StoreError
from drivetrain.core.hashing import Digest, digest_bytes
from drivetrain.core.records import Artifact
from drivetrain.core.signing import VerifyKey
from drivetrain.registry.archive.manifest import BLOBS, DOMAIN, FORM, MANIFEST, SEAL, Manifest, Seal, artifacts, needed
from drivetrain.train.background import Background
from drivetrain.train.deciding.reading import decider_of

MOST_BYTES = 8 << 30
MOST_MANIFEST = 64 << 20
MOST_ENTRIES = 10_000
_ENTRY = re.compile(rf"{MANIFEST}|{SEAL}|{BLOBS}[0-9a-f]{{32}}")
_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,127}")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class Archive(NamedTuple):
    """An archive that holds what it says it does.

    Attributes:
        manifest: What it says.
        digest: Of the manifest.
        blobs: Digest → bytes.
        sealed: Id of the key that sealed it; empty where nobody did.
    """

    manifest: Manifest
    digest: Digest
    blobs: Mapping[Digest, bytes]
    sealed: str


def read_archive(path: Path, key: VerifyKey | None = None) -> Archive:
    """Reads and checks an archive.

    Args:
        path: The file.
        key: The key that must have sealed it; none where anybody may have written it.

    Raises:
        RefusedError: It is no archive, not whole, or holds what it must not; the message names it.
        SignatureRefused: It is not sealed with the key.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(path, archive)
            text = _content(path, archive, entries[MANIFEST], MOST_MANIFEST)
            seal = _content(path, archive, entries[SEAL], 4096) if SEAL in entries else b""
            manifest = _manifest(path, text)
            sealed = _sealed(path, text, seal, key)
            blobs = _blobs(path, archive, entries, manifest)
    except FileNotFoundError:
        raise RefusedError(f"there is no file {path}") from None
    except _BROKEN as error:
        raise RefusedError(
            f"{path} is no whole archive", found=str(error) or type(error).__name__, do="Export the version again"
        ) from None
    _check_content(path, manifest, blobs)
    return Archive(manifest, digest_bytes(text), blobs, sealed)


def _entries(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The archive's entries, each of a name that may be there, once."""
    found: dict[str, zipfile.ZipInfo] = {}
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES or sum(info.file_size for info in infos) > MOST_BYTES:
        raise RefusedError(f"{path} unpacks to too much", expected=f"at most {MOST_BYTES >> 30} GiB")
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if not _ENTRY.fullmatch(info.filename) or info.filename in found or kind not in {0, stat.S_IFREG}:
            raise RefusedError(
                f"{path} holds {info.filename!r}, which no archive of drivetrain does",
                expected=f"{MANIFEST}, {SEAL}, and blobs under their digests, each once",
                do="Do not use it, and find out where it comes from",
            )
        found[info.filename] = info
    if MANIFEST not in found:
        raise RefusedError(f"{path} has no {MANIFEST}", expected="an archive that drivetrain export wrote")
    return found


def _content(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """An entry's bytes, never more than it says, whatever it unpacks to."""
    if info.file_size > most:
        raise RefusedError(f"{info.filename} in {path} is too large", expected=f"at most {most:,} bytes")
    with archive.open(info) as file:
        data = file.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise RefusedError(f"{info.filename} in {path} is not as long as it says", found=f"{len(data):,} bytes")
    return data


def _manifest(path: Path, text: bytes) -> Manifest:
    try:
        form = msgspec.json.decode(text, type=dict[str, msgspec.Raw]).get("form", msgspec.Raw(b"0"))
        if msgspec.json.decode(form) != FORM:
            raise RefusedError(
                f"{path} is laid out in a form that this drivetrain does not know",
                found=bytes(form).decode("utf-8", "replace")[:20],
                expected=f"form {FORM}",
            )
        return msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError(f"the manifest of {path} can't be read", found=str(error)) from None


def _sealed(path: Path, text: bytes, seal: bytes, key: VerifyKey | None) -> str:
    """Who sealed it; checked where a key is asked for."""
    try:
        found = msgspec.json.decode(seal, type=Seal) if seal else None
        value = bytes.fromhex(found.value) if found else b""
    except (msgspec.DecodeError, ValueError) as error:
        raise RefusedError(f"the seal of {path} can't be read", found=str(error)) from None
    if key is None:
        return found.key if found else ""
    if found is None or found.key != key.id:
        raise SignatureRefused(
            f"{path} is sealed with another key" if found else f"{path} is not sealed",
            found=f"key {found.key}" if found else None,
            expected=f"a seal of key {key.id}",
            do="Export it where registry.signing_key names that key",
        )
    if not key.verifies(DOMAIN + text, value):
        raise SignatureRefused(
            f"the seal of {path} does not verify: its manifest was changed", do="Find out who changed it"
        )
    return found.key


def _blobs(
    path: Path, archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], manifest: Manifest
) -> dict[Digest, bytes]:
    """Every blob that the manifest names, and no other, each with its digest."""
    there = {name.removeprefix(BLOBS) for name in entries if name.startswith(BLOBS)}
    wanted = needed(manifest.version, manifest.run)
    if there != set(manifest.blobs) or not set(wanted) <= there:
        odd = next(iter(sorted((there ^ set(manifest.blobs)) or (set(wanted) - there))))
        raise RefusedError(
            f"{path} does not hold what its manifest says", found=f"blob {odd} ({wanted.get(odd, 'named by nothing')})"
        )
    found: dict[Digest, bytes] = {}
    for digest, size in manifest.blobs.items():
        info = entries[BLOBS + digest]
        data = _content(path, archive, info, size) if info.file_size == size else b""
        if info.file_size != size or digest_bytes(data) != digest:
            raise RefusedError(
                f"{wanted.get(digest, 'a blob')} in {path} was changed",
                found=f"{info.file_size:,} bytes that are not those of digest {digest}",
                expected=f"{size:,} bytes",
                do="Export the version again, and find out who changed it",
            )
        found[digest] = data
    return found


def _check_content(path: Path, manifest: Manifest, blobs: Mapping[Digest, bytes]) -> None:
    """What artifacts hold must be what their format says: a pickle passes for none of them."""
    if manifest.version.run_id != manifest.run.run_id or manifest.version.model != manifest.run.model:
        raise RefusedError(f"{path} holds a version and the run of another")
    for artifact in artifacts(manifest.version, manifest.run):
        data = blobs[artifact.digest]
        if not _NAME.fullmatch(artifact.name) or artifact.size != len(data) or not _is(artifact, data):
            raise RefusedError(
                f"{path} holds an artifact that is not what it says: {artifact.name!r}",
                found=f"{len(data):,} bytes that begin with {data[:8]!r}",
                expected=f"a file of format {artifact.format!r}, in a form that is loaded without running it",
                do="Do not use it, and find out where it comes from",
            )


def _is(artifact: Artifact, data: bytes) -> bool:
    kind = artifact.format
    if kind == "lightgbm":
        return data.startswith(b"tree\n")
    if kind in {"xgboost", "json"}:
        return data[:1] == b"{"
    if kind == "onnx":
        return data[:1] == b"\x08"  # ir_version, which the format's writers put first
    if kind in {"background", "decide"}:
        try:
            msgspec.msgpack.decode(data, type=Background) if kind == "background" else decider_of(data)
        except (msgspec.DecodeError, StoreError):
            return False
        return True
    return kind in {"skops", "torch"} and _is_packed(kind, data)


def _is_packed(kind: str, data: bytes) -> bool:
    """A skops file holds its schema and arrays; a TorchScript archive a program. Each is checked anew when opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            names = inner.namelist()
    except _BROKEN:
        return False
    if kind == "torch":
        return any("/code/" in name for name in names)
    return "schema.json" in names and all(name.endswith((".npy", ".npz", ".json", ".txt", ".bin")) for name in names)

"""What a file is, told by what it holds and never by its name; nothing in it is run, unpickled or unpacked."""

from __future__ import annotations

import io
import json
import pickletools
import stat
import zipfile
import zlib
from collections.abc import Callable, Mapping

import msgspec

from drivetrain.core.errors import StoreError
from drivetrain.core.preparation import Network
from drivetrain.train.artifacts import PICKLE
from drivetrain.train.background import Background
from drivetrain.train.deciding.reading import FORMAT as DECIDE
from drivetrain.train.deciding.reading import decider_of
from drivetrain.train.rate import RateTable

MOST_UNPACKED = 4 << 30
"""Bytes that the parts of one packed file may unpack to."""
_MOST_SWELL, _SMALL = 400, 64 << 20
"""How many times its size a part may unpack to, where that is more than so many bytes."""
_MOST_LOOKED = 4 << 20
"""Bytes of a file that are looked through for whether it is a pickle."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))
_SKOPS_PARTS = (".npy", ".npz", ".json", ".txt", ".bin")
_NETWORK = "network.json"

_rates = msgspec.json.Decoder(RateTable).decode
_network = msgspec.json.Decoder(Network).decode
_background = msgspec.msgpack.Decoder(Background).decode


def is_of(format: str, data: bytes) -> bool:
    """Whether a file's bytes are of a format.

    Args:
        format: As :class:`~drivetrain.core.records.Artifact` names it; of one that is not known, no file is.
        data: All of it.

    Example:
        >>> is_of("json", b"{}"), is_of("catboost", b"CBM1" + bytes([1, 0, 0, 0, 9]))
        (False, True)
    """
    known = _FORMS.get(format)
    return known is not None and known(data)


def in_words(data: bytes) -> str:
    """What a file is, as far as its bytes tell: for whoever reads why it was refused.

    Example:
        >>> import pickle
        >>> in_words(pickle.dumps({"a": 1})), in_words(b"CBM1")
        ('a pickle', "a model of CatBoost's that is not whole")
    """
    if is_pickle(data):
        return "a pickle"
    packed = next((name for start, name in _COMPRESSED if data.startswith(start)), "")
    if packed:
        return f"a file packed with {packed}, as pickles often are"
    if data.startswith(b"PK\x03\x04"):
        return _zip_in_words(data)
    for format, start, word in (
        ("catboost", b"CBM1", "CatBoost's"),
        ("lightgbm", b"tree\n", "LightGBM's"),
        ("xgboost", b"{", "XGBoost's, or other JSON,"),
    ):
        if data.startswith(start):
            return f"a model of {word}" + ("" if is_of(format, data) else " that is not whole")
    return "a file of safetensors" if _is_safetensors(data) else f"{len(data):,} bytes that begin with {data[:8]!r}"


def _zip_in_words(data: bytes) -> str:
    parts = _parts(data)
    if parts is None:
        return "a zip that is not whole"
    if not _is_tame(data):
        return "a zip that unpacks to too much, or has parts of names that lead elsewhere"
    pickled = next((name for name in parts if name.endswith((".pkl", ".pickle", ".joblib"))), "")
    return f"a zip that holds the pickle {pickled}" if pickled else f"a zip of {', '.join(sorted(parts)[:4])}"


def is_pickle(data: bytes) -> bool:
    """Whether a file is a pickle of any protocol; its instructions are read, and none is followed."""
    if data[:1] == b"\x80" and len(data) > 1 and data[1] <= 5:
        return True
    if not data or data[0] >= 0x80 or data.startswith((b"{", b"PK", b"tree")):
        return False
    try:
        return sum(1 for _ in pickletools.genops(data[:_MOST_LOOKED])) > 1
    except (ValueError, IndexError, OverflowError, MemoryError, KeyError):
        return False


def _parts(data: bytes) -> dict[str, zipfile.ZipInfo] | None:
    """The parts of a zip by name; none of what is no whole zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            return {info.filename: info for info in inner.infolist()}
    except _BROKEN:
        return None


def _is_tame(data: bytes) -> bool:
    """Whether each part of a zip comes once, leads nowhere and is of a size that may be unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            infos = inner.infolist()
    except _BROKEN:
        return False
    names = [info.filename for info in infos]
    if len(set(names)) != len(names) or sum(info.file_size for info in infos) > MOST_UNPACKED:
        return False
    return all(
        stat.S_IFMT(info.external_attr >> 16) in {0, stat.S_IFREG, stat.S_IFDIR}
        and not info.filename.startswith("/")
        and ".." not in info.filename.split("/")
        and "\\" not in info.filename
        and (info.file_size <= _SMALL or info.file_size <= _MOST_SWELL * max(1, info.compress_size))
        for info in infos
    )


def _held(data: bytes, wanted: Mapping[str, Callable[[bytes], bool]]) -> bool:
    """Whether a zip has these parts and no other, each being what it must be."""
    parts = _parts(data)
    if parts is None or set(parts) != set(wanted) or not _is_tame(data):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            return all(check(inner.read(name)) for name, check in wanted.items())
    except _BROKEN:
        return False


def _decodes(decode: Callable[[bytes], object]) -> Callable[[bytes], bool]:
    def check(data: bytes) -> bool:
        try:
            decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return False
        return True

    return check


def _is_json_object(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


def _is_xgboost(data: bytes) -> bool:
    """JSON, or UBJSON (draft 12): an object whose first key has its length before it."""
    if data[:2] in (b"{L", b"{l", b"{I", b"{i", b"{U"):
        return data[-1:] == b"}" and b"learner" in data[:64]
    return data[:1] == b"{" and _is_json_object(data)


def _is_lightgbm(data: bytes) -> bool:
    """Text, to the end of its trees: without that line LightGBM would take the trees there are for all."""
    return data.startswith(b"tree\n") and b"\nend of trees\n" in data and b"\x00" not in data


def _is_onnx(data: bytes) -> bool:
    """A ``ModelProto`` of onnx.proto3: its version first, as all that write one do, and whole to its last field."""
    if data[:1] != b"\x08":
        return False
    at, numbers = 0, set()
    while at < len(data):
        tag, at = _varint(data, at)
        numbers.add(tag >> 3)
        if tag & 7 == 0:
            _, at = _varint(data, at)
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            at += length
        else:
            return False
    return at == len(data) and 7 in numbers  # a graph


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of protocol buffers' wire format and where it ends; past the end of all where it does not."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    return value, len(data) + 1


def _is_safetensors(data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or length > len(data) - 8:
        return False
    try:
        head = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        return False
    if not isinstance(head, dict):
        return False
    ends = [one["data_offsets"][1] for name, one in head.items() if name != "__metadata__" and isinstance(one, dict)]
    return max(ends, default=0) == len(data) - 8 - length


def _is_skops(data: bytes) -> bool:
    parts = _parts(data)
    return parts is not None and "schema.json" in parts and _is_tame(data) and all(
        name.endswith(_SKOPS_PARTS) for name in parts
    )  # fmt: skip


def _is_torch(data: bytes) -> bool:
    """TorchScript; its pickles are read by PyTorch's C++ reader, which makes tensors and the archive's own classes."""
    parts = _parts(data)
    return parts is not None and _is_tame(data) and any("/code/" in name for name in parts)


def _is_catboost(data: bytes) -> bool:
    """The magic, the length of the core in four bytes, and at least so many bytes after it."""
    return data[:4] == b"CBM1" and len(data) >= 8 + int.from_bytes(data[4:8], "little") > 8


def _is_keras(data: bytes) -> bool:
    return _held(
        data,
        {
            "configuration.json": _is_json_object,
            "weights.safetensors": _is_safetensors,
            _NETWORK: _decodes(_network),
        },
    )


def _is_flax(data: bytes) -> bool:
    """The program is MLIR's bytecode within what ``jax.export`` writes around it."""
    return _held(
        data,
        {"program.stablehlo": lambda part: b"ML\xefR" in part and not is_pickle(part), _NETWORK: _decodes(_network)},
    )


def _is_decider(data: bytes) -> bool:
    try:
        decider_of(data)
    except StoreError:
        return False
    return True


def _is_embedding(data: bytes) -> bool:
    parts = {"manner.json": _is_json_object, "model.onnx": _is_onnx, "tokenizer.json": _is_json_object}
    return _held(data, parts)


_FORMS: Mapping[str, Callable[[bytes], bool]] = {
    "background": _decodes(_background),
    "catboost": _is_catboost,
    DECIDE: _is_decider,
    "embedding": _is_embedding,
    "flax": _is_flax,
    "json": _decodes(_rates),
    "keras": _is_keras,
    "lightgbm": _is_lightgbm,
    "linear": _is_json_object,
    "onnx": _is_onnx,
    PICKLE: is_pickle,
    "skops": _is_skops,
    "tfidf": _is_json_object,
    "tokens": _is_json_object,
    "torch": _is_torch,
    "xgboost": _is_xgboost,
}

"""Frames of the write-ahead log: ``length u32 | crc32 u32 | tag | msgpack``, little-endian.

The length counts tag and msgpack; the checksum is over the same bytes. The tag is ``P`` for a prediction, ``F`` for
feedback, ``E`` for an explanation, and ``X`` for what was erased, whose bytes are zero. JSON of a request travels
inside msgpack as a byte string.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias
from zlib import crc32

import msgspec

from drivetrain.core.records import Explanation, Feedback, Prediction

Entry: TypeAlias = Prediction | Feedback | Explanation

MAGIC = b"DTLOG\x00\x00\x01"
"""The first bytes of a segment: the format and its version."""

LARGEST = 64 * 1024 * 1024
"""Bytes a frame's body may have; a longer length is damage."""

_TAGS: dict[type[Entry], bytes] = {Prediction: b"P", Feedback: b"F", Explanation: b"E"}
_ERASED = ord("X")
_HEADER = struct.Struct("<II")
_encode = msgspec.msgpack.Encoder().encode
_decode_bytes = msgspec.msgpack.Decoder(bytes).decode
_decode_prediction = msgspec.msgpack.Decoder(Prediction).decode
_decode_feedback = msgspec.msgpack.Decoder(Feedback).decode
_decode_explanation = msgspec.msgpack.Decoder(Explanation).decode


class Frame(msgspec.Struct, frozen=True):
    """A whole frame and where it lies."""

    start: int
    end: int
    """Offset of the byte after it."""
    body: bytes


class Damage(msgspec.Struct, frozen=True):
    """Bytes that are no frame: what a crash cut off at the end, or what a disk spoiled in the middle."""

    start: int
    end: int


def embed(json: bytes | msgspec.Raw) -> msgspec.Raw:
    """JSON as it may stand in a record that is written to the log."""
    return msgspec.Raw(_encode(bytes(json)))


def pack(entry: Entry) -> bytes:
    """The frame of a record; a prediction's request must be :func:`embed`-ded."""
    body = _TAGS[type(entry)] + _encode(entry)
    return _HEADER.pack(len(body), crc32(body)) + body


def pack_prediction(fields: tuple[object, ...]) -> bytes:
    """The frame of the prediction with these fields, in order; the request may be bytes of JSON as they are.

    To make the record itself would cost as much again.
    """
    body = b"P" + _encode(fields)
    return _HEADER.pack(len(body), crc32(body)) + body


def unpack(body: bytes) -> Entry:
    """The record of a frame's body, with a prediction's request as JSON again.

    Raises:
        msgspec.DecodeError: The body is of another format.
    """
    if body[:1] == b"F":
        return _decode_feedback(memoryview(body)[1:])
    if body[:1] == b"E":
        return _decode_explanation(memoryview(body)[1:])
    prediction = _decode_prediction(memoryview(body)[1:])
    return msgspec.structs.replace(prediction, request=msgspec.Raw(_decode_bytes(prediction.request)))


def erased(frame: Frame) -> bytes:
    """What takes a frame's place where it lies; nobody sees it any more."""
    body = b"X" + bytes(len(frame.body) - 1)
    return _HEADER.pack(len(body), crc32(body)) + body


def scan(data: bytes, start: int = 0) -> Iterator[Frame | Damage]:
    """Every frame from an offset on that was not erased, and the damage between them.

    After damage, reading goes on at the next bytes that are a whole frame. Bytes at the end that are no whole frame
    come as one last damage: in a segment still being written they may be a frame on its way.
    """
    at = start
    while at < len(data):
        end = _whole(data, at)
        if end:
            if data[at + _HEADER.size] != _ERASED:
                yield Frame(at, end, data[at + _HEADER.size : end])
            at = end
            continue
        after = next((probe for probe in range(at + 1, len(data)) if _whole(data, probe)), len(data))
        yield Damage(at, after)
        at = after


def walk(data: bytes) -> tuple[list[Frame], int, int]:
    """Frames one after the other, by their headers, up to the first that is not whole: no byte is tried in vain.

    Returns:
        The frames that were not erased; where the first that is not whole begins; and where it ends by its header,
        which lies beyond the data where it is on its way or larger than what was read, and 0 where the header is cut or
        the bytes are damage.
    """
    frames: list[Frame] = []
    at = 0
    while end := _whole(data, at):
        if data[at + _HEADER.size] != _ERASED:
            frames.append(Frame(at, end, data[at + _HEADER.size : end]))
        at = end
    return frames, at, _announced(data, at)


def damaged(data: bytes, at: int) -> bool:
    """Whether what begins at an offset is damage, as far as its header tells; else it is on its way, or the end."""
    begin = at + _HEADER.size
    return begin < len(data) and _announced(data, at) <= len(data)


def _announced(data: bytes, at: int) -> int:
    """Where a frame ends by its header; 0 where the header is cut, or is none."""
    begin = at + _HEADER.size
    if begin >= len(data) or data[begin] not in b"PFEX":
        return 0
    length, _ = _HEADER.unpack_from(data, at)
    return begin + length if 0 < length <= LARGEST else 0


def _whole(data: bytes, at: int) -> int:
    """Where the frame at an offset ends; 0 if there is none."""
    begin = at + _HEADER.size
    if begin >= len(data):
        return 0
    length, checksum = _HEADER.unpack_from(data, at)
    end = begin + length
    if not 0 < length <= LARGEST or end > len(data) or data[begin] not in b"PFEX":
        return 0
    return end if crc32(memoryview(data)[begin:end]) == checksum else 0

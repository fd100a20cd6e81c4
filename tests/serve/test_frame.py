from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from drivetrain.serve.log.frame import Damage, Frame, embed, pack, scan, unpack
from serve.records import embedded, explanation, feedback, prediction, same

numbers = st.floats(allow_nan=True, allow_infinity=True)
predictions = st.builds(
    prediction,
    request_id=st.text(max_size=20),
    row=st.integers(0, 2**31),
    at=st.integers(-(2**62), 2**62),
    role=st.sampled_from(["champion", "challenger", "shadow"]),
    entity=st.text(max_size=20),
    values=st.lists(numbers, max_size=8),
    ages=st.lists(numbers, max_size=3),
    prediction=st.one_of(numbers, st.lists(numbers, min_size=1, max_size=4)),
)


@given(predictions)
def test_a_prediction_comes_back_as_it_was(entry):
    (frame,) = scan(pack(embedded(entry)))
    assert same(unpack(frame.body), entry)


@given(st.text(max_size=20), st.floats(allow_nan=False))
def test_feedback_comes_back_as_it_was(entity, label):
    entry = feedback(entity, label)
    (frame,) = scan(pack(entry))
    assert unpack(frame.body) == entry


sums = st.lists(st.floats(allow_nan=False), max_size=4)


@given(st.text(max_size=20), st.one_of(st.floats(allow_nan=False), sums), sums, st.lists(sums, max_size=3))
def test_an_explanation_comes_back_as_it_was(request_id, said, base, contributions):
    entry = explanation(request_id, prediction=said, base=base, contributions=contributions)
    (frame,) = scan(pack(entry))
    assert unpack(frame.body) == entry


@given(st.lists(predictions, min_size=1, max_size=5), st.data())
def test_whatever_a_crash_cuts_off_the_frames_before_it_are_whole(entries, data):
    frames = [pack(embedded(entry)) for entry in entries]
    whole = b"".join(frames)
    cut = data.draw(st.integers(0, len(whole)))
    pieces = list(scan(whole[:cut]))
    ends = [sum(map(len, frames[: at + 1])) for at in range(len(frames))]
    kept = [end for end in ends if end <= cut]
    assert [piece.end for piece in pieces if isinstance(piece, Frame)] == kept
    torn = cut - (kept[-1] if kept else 0)
    assert sum(piece.end - piece.start for piece in pieces if isinstance(piece, Damage)) == torn


@given(st.lists(predictions, min_size=3, max_size=5), st.data())
def test_a_spoiled_byte_costs_its_frame_and_no_other(entries, data):
    frames = [pack(embedded(entry)) for entry in entries]
    whole = bytearray(b"".join(frames))
    victim = data.draw(st.integers(0, len(frames) - 1))
    start = sum(map(len, frames[:victim]))
    at = data.draw(st.integers(start, start + len(frames[victim]) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    found = [piece.body for piece in scan(bytes(whole)) if isinstance(piece, Frame)]
    assert found == [frame[8:] for at, frame in enumerate(frames) if at != victim]


def test_json_travels_as_it_came():
    entry = prediction(request=b'{"a": [1,  2]}', values=[math.nan])
    (frame,) = scan(pack(embedded(entry)))
    assert bytes(unpack(frame.body).request) == b'{"a": [1,  2]}'
    assert bytes(embed(b"{}")) == b"\xc4\x02{}"

"""The protocol carries what it promises, and nothing that a student's process sends can hurt the grader."""

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnlab.grading import wire

LENGTHS = struct.Struct(">IQ")


def read_back(frame):
    position = 0

    def read(size):
        nonlocal position
        piece = frame[position : position + size]
        if len(piece) < size:
            raise EOFError
        position += size
        return piece

    return wire.read_frame(read)


def frame_of(header, payload=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return LENGTHS.pack(len(text), len(payload)) + text + payload


def same(a, b):
    if isinstance(a, np.ndarray | np.generic):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b)))


dtypes = st.sampled_from([np.dtype(name) for name in "?bBhHiIlLefdFD"])
arrays = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0)))
texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | texts | arrays
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple))


@settings(deadline=None)
@given(st.lists(values, max_size=3))
def test_values_come_back_as_they_were_sent(sent):
    message, received = read_back(wire.pack({"n": 1}, sent))
    assert message == {"n": 1}
    assert same(list(sent), received)


@pytest.mark.parametrize("value", [np.float32(0.1), np.int8(-3), np.bool_(True), np.arange(6).reshape(2, 3).T[::-1]])
def test_scalars_and_views_keep_dtype_and_order(value):
    _, [received] = read_back(wire.pack({}, [value]))
    assert np.array_equal(received, value)
    assert received.dtype == value.dtype
    assert type(received) is type(value)


def test_big_endian_arrays_arrive_with_their_values():
    _, [received] = read_back(wire.pack({}, [np.array([1.5, -2], dtype=">f4")]))
    assert received.tolist() == [1.5, -2]


def test_received_arrays_can_be_written_to():
    _, [received] = read_back(wire.pack({}, [np.zeros(2)]))
    received[0] = 1


@pytest.mark.parametrize(
    "value", [{"a": 1}, {1}, object(), b"x", 1j, np.array([None]), np.array(["a"]), np.zeros(1, "M8[s]")]
)
def test_other_types_are_refused_by_name(value):
    with pytest.raises(wire.UnsupportedValueError, match=type(value).__name__):
        wire.pack({}, [value])


def test_a_list_inside_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(wire.UnsupportedValueError, match="nested"):
        wire.pack({}, [endless])


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("<f8", [2]),  # longer than the payload
        ("<f8", [0]),  # shorter
        ("<f8", [-1]),
        ("<f8", [-1, -1]),
        ("<f8", [1 << 40, 1 << 40]),
        ("<f8", [0, 1 << 25, 1 << 25, 1 << 25]),
        ("<f8", [1.0]),
        ("<f8", [True]),
        ("<f8", ["1"]),
        ("<f8", 1),
        ("<f8", None),
        ("<f8", [1] * 33),
        ("|O", [1]),
        ("O", [1]),
        (">f8", [1]),
        ("<f8,<f8", [1]),
        ("|V8", [1]),
        ("<M8[s]", [1]),
        (["<f8"], [1]),
        ({}, [1]),
        (None, [1]),
    ],
)
def test_arrays_that_do_not_fit_their_header_are_refused(dtype, shape):
    header = {"message": {}, "values": [{"array": [dtype, shape]}]}
    with pytest.raises(wire.ProtocolError):
        read_back(frame_of(header, b"\0" * 8))


def test_boolean_arrays_hold_zeros_and_ones_only():
    with pytest.raises(wire.ProtocolError, match="boolean"):
        read_back(frame_of({"message": {}, "values": [{"array": ["|b1", [3]]}]}, b"\1\2\0"))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"\xff",
        b"{",
        b"[" * 100_000,
        b'{"message":' * 50_000,
        b'{"message": {}}',
        b'{"message": [], "values": []}',
        b'{"message": {}, "values": {}}',
        b'{"message": {}, "values": [], "more": 1}',
        b'{"message": {}, "values": [NaN]}',
        b'{"message": {}, "values": [1e999]}',
        b'{"message": {}, "values": [[1]]}',
        b'{"message": {}, "values": [{}]}',
        b'{"message": {}, "values": [{"list": [], "tuple": []}]}',
        b'{"message": {}, "values": [{"float": "1"}]}',
        b'{"message": {}, "values": [' + b"9" * 5000 + b"]}",
        b'{"message": {}, "values": [' + b'{"list":[' * 40 + b"]}" * 40 + b"]}",
    ],
)
def test_malformed_headers_are_refused(header):
    with pytest.raises(wire.ProtocolError):
        read_back(frame_of(header))


@pytest.mark.parametrize(
    ("header", "payload"), [(wire.MAX_HEADER + 1, 0), (0, wire.MAX_PAYLOAD + 1), (2**32 - 1, 2**64 - 1)]
)
def test_huge_lengths_are_refused_before_anything_is_read(header, payload):
    asked = []

    def read(size):
        asked.append(size)
        return LENGTHS.pack(header, payload)

    with pytest.raises(wire.ProtocolError, match="larger"):
        wire.read_frame(read)
    assert asked == [LENGTHS.size]


def test_lone_surrogates_become_text_that_files_take():
    _, [text] = read_back(frame_of(b'{"message": {}, "values": ["\\ud800"]}'))
    text.encode("utf-8")


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_noise_is_refused_or_is_a_frame(noise):
    try:
        message, received = read_back(noise)
    except (wire.ProtocolError, EOFError):
        return
    assert isinstance(message, dict)
    assert isinstance(received, list)


@settings(deadline=None, max_examples=300)
@given(st.lists(values, min_size=1, max_size=2), st.data())
def test_damaged_frames_are_refused_or_are_frames(sent, data):
    frame = bytearray(wire.pack({"n": 1}, sent))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    frame = frame[: data.draw(st.integers(0, len(frame)))]
    try:
        read_back(bytes(frame))
    except (wire.ProtocolError, EOFError):
        return


json_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["array", "list", "tuple", "scalar", "float", "x"]), inner, max_size=2)
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(json_trees, max_size=3), st.binary(max_size=64))
def test_any_json_in_the_place_of_values_is_refused_or_is_read(trees, payload):
    try:
        _, received = read_back(frame_of({"message": {}, "values": trees}, payload))
    except wire.ProtocolError:
        return
    wire.pack({}, received)


@pytest.mark.parametrize("name", [*"?bBhHiIlLqQefdFD", ">f8", ">i2", "<f4"])
def test_every_dtype_that_is_carried_comes_back_as_itself_however_it_was_named(name):
    sent = np.arange(6).reshape(3, 2).T.astype(name)
    _, [received] = read_back(wire.pack({}, [sent]))
    assert np.array_equal(received, sent)
    assert received.dtype == sent.dtype.newbyteorder("=")

"""Whatever bytes come, the decoder refuses them with its own error or reads them, and needs no more than it may."""

import contextlib
import json
import struct
import tracemalloc

import hostile_data
import numpy as np
import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st
from puppets import LENGTHS, frame_of

from cnnlab.grading import wire

# A header that is all small objects, and a payload that is copied once, need so much; more is a leak or a bomb.
MOST_BYTES = 2 * wire.MAX_PAYLOAD + 32 * wire.MAX_HEADER


class EndError(Exception):
    pass


def decode(data):
    """Read frames until the bytes end; return what was read, and why it ended."""
    view, position, asked, found = memoryview(data), 0, [], []

    def read(size):
        nonlocal position
        asked.append(size)
        piece = bytes(view[position : position + size])
        if len(piece) < size:
            raise EndError
        position += size
        return piece

    try:
        while True:
            found.append(wire.read_frame(read))
    except (wire.ProtocolError, EndError) as error:
        why = error
    assert max(asked) <= max(wire.MAX_HEADER, wire.MAX_PAYLOAD)
    for message, values in found:
        assert type(message) is dict
        assert_is_of_the_protocol(values)
    return found, why


def assert_is_of_the_protocol(value, depth=0):
    """Nothing but plain data comes out; arrays own their memory."""
    assert depth < 20
    if isinstance(value, list | tuple):
        for item in value:
            assert_is_of_the_protocol(item, depth + 1)
    elif isinstance(value, np.ndarray | np.generic):
        assert value.dtype.kind in "biufc"
        assert value.dtype.isnative
        assert not isinstance(value, np.ndarray) or (value.flags.owndata or value.base.flags.owndata)
        assert not isinstance(value, np.ndarray) or value.flags.writeable
    elif isinstance(value, str):
        value.encode("utf-8")
    else:
        assert value is None or type(value) in {bool, int, float}


HONEST = [
    wire.pack({"result": True, "changed": []}, [np.arange(6.0).reshape(2, 3)]),
    wire.pack({"result": True, "changed": []}, [(np.float32(1), [np.zeros((0, 2)), None, "ü"], float("nan"), 3)]),
    wire.pack({"cell": 3, "error": None, "stdout": "a" * 50, "stderr": ""}),
    wire.pack({"raised": {"type": "IndexError", "message": "no", "line": "x[1]"}}),
]


@examples(100)
@given(st.lists(hostile_data.answers, max_size=4).map(b"".join))
def test_what_hostile_processes_send(data):
    decode(data)


@examples(100)
@given(st.sampled_from(HONEST), st.lists(hostile_data.damages(), min_size=1, max_size=3))
def test_damaged_frames(frame, damages):
    for damage in damages:
        try:
            frame = damage(frame)
        except (ValueError, IndexError, TypeError, KeyError, AttributeError, struct.error):
            break  # too broken already for this damage
        decode(frame)


@pytest.mark.parametrize("frame", HONEST)
def test_a_frame_that_is_cut_is_never_read(frame):
    for length in range(len(frame)):
        assert decode(frame[:length])[0] == []


@pytest.mark.parametrize("frame", HONEST)
def test_any_flipped_bit_is_refused_or_is_read(frame):
    for position in range(8 * len(frame)):
        flipped = bytearray(frame)
        flipped[position // 8] ^= 1 << position % 8
        decode(bytes(flipped))


def test_of_keys_that_are_there_twice_the_last_counts_and_both_are_of_the_protocol():
    text = b'{"message": {}, "message": {"a": 1}, "values": [1], "values": [2]}'
    [(message, values)], _ = decode(LENGTHS.pack(len(text), 0) + text)
    assert (message, values) == ({"a": 1}, [2])


def _filled(item):
    return b'{"message":{},"values":[' + b",".join([item] * ((wire.MAX_HEADER - 40) // (len(item) + 1))) + b"]}"


ARRAYS = {
    "list": (b'{"list":[]}', b""),
    "dict": (b'{"":0}', b""),
    "array": (b'{"array":["|b1",[0]]}', b""),
    "text": (b'"\xc3\xa4"', b""),
}


@pytest.mark.slow
@pytest.mark.parametrize("item", ARRAYS)
def test_a_header_full_of_small_values_needs_a_bounded_amount_of_memory(item):
    item, payload = ARRAYS[item]
    _assert_is_bounded(_filled(item), payload)


def test_the_largest_payload_needs_a_bounded_amount_of_memory():
    header = json.dumps({"message": {}, "values": [{"array": ["|b1", [wire.MAX_PAYLOAD]]}]}).encode()
    _assert_is_bounded(header, b"\1" * wire.MAX_PAYLOAD)


@pytest.mark.parametrize("shape", [[10**9] * 3, [1 << 40], [0, 1 << 26, 1 << 26, 1 << 26], [1] * 33, [-1], [2**63]])
def test_a_shape_that_lies_needs_no_memory(shape):
    frame = frame_of({"result": True, "changed": []}, [{"array": ["<f8", shape]}])
    tracemalloc.start()
    try:
        found, why = decode(frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not found
    assert isinstance(why, wire.ProtocolError)
    assert peak < 1 << 20


def _assert_is_bounded(header, payload):
    frame = LENGTHS.pack(len(header), len(payload)) + header + payload
    view, position = memoryview(frame), 0

    def read(size):
        nonlocal position
        position += size
        return bytes(view[position - size : position])

    tracemalloc.start()
    try:
        with contextlib.suppress(wire.ProtocolError):
            wire.read_frame(read)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= MOST_BYTES

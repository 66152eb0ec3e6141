"""What a hostile process could send: strategies for Hypothesis."""

import json
import struct

import numpy as np
from hypothesis import strategies as st
from puppets import END, LENGTHS, frame_of

from cnnlab.grading import wire

_HUGE = [0, 1, 2, -1, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 10**9, wire.MAX_PAYLOAD, wire.MAX_HEADER, 10**400]
_DTYPES = ["<f8", "<f4", "|b1", "<c16", "<i8", "|O", "O", ">f8", "|V8", "<M8[s]", "<U3", "", "f8", "<f8,<f8", "\ud800"]
_TEXTS = ["", "x", "\ud800", "\0", "\x1b[2J", "<script>alert(1)</script>", "Ω" * 3000, "9" * 5000, "None", "class"]

texts = st.sampled_from(_TEXTS) | st.text(max_size=8)
numbers = st.sampled_from(_HUGE) | st.integers() | st.floats() | st.booleans()
leaves = st.none() | numbers | texts
sizes = st.lists(numbers, max_size=4) | st.just([1] * 40) | st.just([10**9] * 5) | leaves
dtypes = st.sampled_from(_DTYPES) | leaves
# Forms that look like those of the protocol, and are not, or not quite.
lies = (
    st.builds(lambda dtype, shape: {"array": [dtype, shape]}, dtypes, sizes)
    | st.builds(lambda dtype: {"scalar": dtype}, dtypes)
    | st.builds(lambda text: {"float": text}, st.sampled_from(["nan", "inf", "-inf", "1", "NaN", 1, None]))
    | st.builds(lambda depth: _nested(depth), st.sampled_from([2, 15, 16, 17, 40, 300]))
)
trees = st.recursive(
    leaves | lies,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["list", "tuple", "array", "scalar", "float", "x", ""]), inner, max_size=2)
        | st.builds(lambda items: {"list": items}, st.lists(inner, max_size=3))
        | st.builds(lambda items: {"tuple": items}, st.lists(inner, max_size=3))
    ),
    max_leaves=8,
)
messages = st.dictionaries(
    st.sampled_from(["result", "changed", "raised", "missing", "unsupported", "hello", "cell", "error", "stdout", "x"]),
    trees | st.just(True) | st.just({"type": "IndexError", "message": "Ω" * 100_000, "line": "\ud800"}),
    max_size=4,
)
# In form an answer; its value is another matter.
odd_values = st.sampled_from(
    [
        *(None, True, 0, -1, 10**400, -(10**4000), 0.0, float("nan"), float("inf"), "text", [], (), [[]], [None] * 3),
        *([[1.0], [2.0, 3.0]], (1, "x"), np.float16("inf"), np.uint64(2**64 - 1), np.complex64(1j), np.bool_(True)),
        *(np.zeros(0), np.zeros((0, 3)), np.zeros((1,) * 32), np.full((3, 3), np.nan), np.full(4, np.inf, "f2")),
        *(np.zeros((2, 2), complex), np.ones(5, bool), np.zeros(3, "i1"), np.zeros(1000), np.array(1.0), [np.zeros(2)]),
        *([10**400] * 3, (10**400, float("nan"), None), [["a"] * 3], np.full((2, 3), np.finfo("f8").max)),
    ]
)
odd_answers = odd_values.map(lambda value: wire.pack({"result": True, "changed": []}, [value]))
forged = st.builds(frame_of, messages, st.lists(trees, max_size=3), st.binary(max_size=64)) | st.sampled_from(
    [
        frame_of({"missing": True}),
        frame_of({"unsupported": "object of dtype object"}),
        frame_of({"unsupported": "__class__"}),
        frame_of({"unsupported": "x" * 1_000_000}),
        frame_of({"raised": {}}),
        frame_of({"raised": {"type": "\ud800" * 9, "message": "\x1b[2J" * 50_000, "line": 5}}),
        frame_of({"raised": {"type": "KeyboardInterrupt", "message": ["x"], "line": None}}),
        frame_of({"result": True, "changed": [True]}, [1]),
        frame_of({"result": True, "changed": [10**30]}, [1]),
        frame_of({"result": True, "changed": [-1]}, [1]),
        frame_of({"result": True, "changed": "0"}, [1, 2]),
        frame_of({"result": 1, "changed": []}, [1]),
        frame_of({"hello": 1}),
        frame_of({"cell": 0, "error": None, "stdout": "", "stderr": ""}),
    ]
)
malformed = (
    st.binary(max_size=80)
    | st.binary(max_size=80).map(lambda text: LENGTHS.pack(len(text), 0) + text)
    | st.tuples(st.sampled_from([0, 1, 12, 2**31, 2**32 - 1]), st.sampled_from([0, 1, 8, 2**40, 2**64 - 1])).map(
        lambda lengths: LENGTHS.pack(*lengths)
    )
    | st.sampled_from(
        [
            b"[" * 100_000,
            b'{"message":' * 9000,
            b'{"message": {}, "message": {"result": true}, "values": [], "values": [1]}',
            b'{"message": {"result": true}, "values": [1], "values": {}}',
            b'{"message": {"result": true}, "values": [1e999]}',
            b'{"message": {"result": true}, "values": [NaN]}',
            b'{"message": {"result": true}, "values": [' + b"7" * 4301 + b"]}",
            b'{"message": {"result": true}, "values": [-' + b"7" * 4299 + b"]}",
            b'\xef\xbb\xbf{"message": {"result": true}, "values": [1]}',
            '{"message": {"result": true}, "values": [1]}'.encode("utf-16"),
            b'{"message": {"result": true}, "values": ["\xff"]}',
            b'{"message": {"result": true}, "values": ["\\ud800"]}',
        ]
    ).map(lambda text: LENGTHS.pack(len(text), 0) + text)
)
answers = malformed | forged | odd_answers


def _nested(depth):
    tree = {"list": []}
    for _ in range(depth):
        tree = {"list": [tree]}
    return tree


@st.composite
def damages(draw):
    """Draw a function that damages a frame: flips bits, cuts, doubles, splices, or lies about lengths."""
    kind = draw(st.sampled_from(["flip", "cut", "double", "splice", "lengths", "header", "reshape"]))
    places = draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=6))
    number = draw(st.sampled_from([-1, 1, 7, 2**20, 2**33]))

    def damage(frame):
        spots = [int(place * len(frame)) for place in places]
        out = bytearray(frame)
        if kind == "flip":
            for spot in spots:
                out[spot] ^= 1 << spot % 8
        elif kind == "cut":
            del out[spots[0] :]
        elif kind == "double":
            out += frame
        elif kind == "splice":
            out = out[: spots[0]] + frame[spots[1] :]
        elif kind == "lengths":
            header, payload = LENGTHS.unpack(frame[: LENGTHS.size])
            out[: LENGTHS.size] = struct.pack(">IQ", (header + number) % 2**32, (payload + number) % 2**64)
        else:
            header, payload = LENGTHS.unpack(frame[: LENGTHS.size])
            parsed = json.loads(frame[LENGTHS.size :][:header])
            for value in parsed["values"]:
                if kind == "reshape" and isinstance(value, dict) and "array" in value:
                    value["array"][1] = [*value["array"][1][::-1], 1] if number > 1 else [number]
                elif isinstance(value, dict) and "array" in value:
                    value["array"][0] = "<f4" if number > 1 else "<c16"
            out = bytearray(frame_of(parsed["message"], parsed["values"], frame[LENGTHS.size + header :]))
        return bytes(out)

    damage.__name__ = f"{kind}({places}, {number})"
    return damage


def _drip(frame):
    for byte in frame:
        yield 0.2
        yield bytes([byte])


def _drip_for_ever(_):
    yield LENGTHS.pack(1 << 20, 0)
    while True:
        yield 0.2
        yield b" "


def _flood(_):
    while True:
        yield b"\0" * (1 << 16)


def _flood_of_frames(frame):
    while True:
        yield frame


def _half_a_payload(_):
    yield LENGTHS.pack(60, wire.MAX_PAYLOAD) + b" " * 60 + b"\0" * (1 << 20)


# Each is a list of steps; see `puppets.Script`.
patterns = st.sampled_from(
    [
        [],  # nothing, for ever
        [END],
        [0.5, END],
        [_drip],
        [_drip_for_ever],
        [_flood],
        [_half_a_payload],
        [_half_a_payload, END],
        [lambda frame: frame[:-1]],
        [lambda frame: frame[:-1], END],
        [1e9],
    ]
)
wrong = st.lists(answers, min_size=1, max_size=3) | patterns | st.tuples(answers, st.just(END)).map(list)
# These send the right answer as well, in one place or another.
with_right_ones = st.sampled_from(
    [
        [_flood_of_frames],
        [lambda frame: frame, lambda frame: frame],
        [lambda frame: frame, b"\0" * 64],
        [lambda frame: frame, _flood],
        [lambda frame: frame, END],
        [0.3, lambda frame: frame],
    ]
) | st.lists(damages(), min_size=1, max_size=2)

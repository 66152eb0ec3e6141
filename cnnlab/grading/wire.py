"""The protocol between the grader and a student's process: length-prefixed frames, JSON headers, raw array bytes.

A frame is ``header length (4 bytes) | payload length (8 bytes) | header | payload``, big-endian. The header is the JSON
object ``{"message": …, "values": […]}``; in a value, numbers, strings, booleans and None stand for themselves and all
else is an object with one key: ``{"list": […]}``, ``{"tuple": […]}``, ``{"float": "nan"}``,
``{"array": [dtype, shape]}`` or ``{"scalar": dtype}``. The bytes of arrays and scalars follow each other in the
payload, in C order.

What a student's process sends is never trusted: there is no pickle and no ``.npy`` header (a hundred bytes of one can
ask for hundreds of gigabytes), dtypes come from a list, and shapes are multiplied out and compared with the bytes that
came before an array is made.
"""

from __future__ import annotations

import json
import math
import struct
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

MAX_HEADER = 4 << 20
MAX_PAYLOAD = 64 << 20
_MAX_DEPTH = 16
_MAX_NDIM = 32
_LENGTHS = struct.Struct(">IQ")
_DTYPES = frozenset(
    # Little-endian on every machine.
    {"|b1", "|i1", "|u1", "<i2", "<i4", "<i8", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"}
)
# Packets of a submission's PID 1: number and status of a process that ended; number of a process to end.
ENDED = struct.Struct("!ii")
TO_END = struct.Struct("!i")
# NumPy's own dtypes of this machine, by which most arrays come and go.
_NAMES = {dtype: dtype.str for dtype in map(np.dtype, sorted(_DTYPES)) if dtype.isnative}
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_PLAIN = frozenset({type(None), bool, str, int})
# Unicode's categories of control characters, of formats such as turned order, and of halves of characters.
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs"})
# And what scripts and emoji need to join letters.
_SHOWN_ALL_THE_SAME = "\n\t\u200c\u200d"
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class ProtocolError(Exception):
    """The other side sent something that is not a frame of this protocol."""


class UnsupportedValueError(TypeError):
    """A value of a type that the protocol does not carry; the text is the name of its type."""


def pack(message: dict[str, Any], values: Sequence[Any] = ()) -> bytes:
    """Return one frame.

    Parameters
    ----------
    message
        Anything JSON can say.
    values
        Arrays, NumPy scalars, numbers, strings, None, and lists and tuples of those.

    Raises
    ------
    UnsupportedValueError
        If a value is of another type, or nested too deeply.
    ProtocolError
        If the frame would be larger than the other side accepts.
    """
    chunks: list[bytes] = []
    trees = [_to_tree(value, chunks, 0) for value in values]
    header = _ENCODER.encode({"message": message, "values": trees}).encode()
    payload_length = sum(map(len, chunks))
    _check_lengths(len(header), payload_length)
    return b"".join([_LENGTHS.pack(len(header), payload_length), header, *chunks])


def read_frame(read: Callable[[int], bytes]) -> tuple[dict[str, Any], list[Any]]:
    """Read one frame and return its message and its values.

    Parameters
    ----------
    read
        Returns exactly so many bytes, or raises; what it raises passes through.

    Raises
    ------
    ProtocolError
        If what was read is no frame. Nothing larger than the limits is ever asked for.
    """
    header_length, payload_length = _LENGTHS.unpack(read(_LENGTHS.size))
    _check_lengths(header_length, payload_length)
    header = read(header_length)
    payload = read(payload_length)
    return unpack(header, payload)


def unpack(header: bytes, payload: bytes) -> tuple[dict[str, Any], list[Any]]:
    """Return the message and the values of one frame; raises `ProtocolError` for anything malformed."""
    try:
        parsed = json.loads(header.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a header is not JSON: {type(error).__name__}") from None
    match parsed:
        case {"message": dict(message), "values": list(trees)} if len(parsed) == 2:
            cursor = _Cursor(payload)
            values = [_from_tree(tree, cursor, 0) for tree in trees]
            if cursor.position != len(payload):
                raise ProtocolError(f"{len(payload) - cursor.position} bytes of a payload belong to no array")
            return message, values
    raise ProtocolError("a header has not the two keys message and values")


def without_surrogates(text: str) -> str:
    """Return the text with lone surrogates replaced: JSON can carry them, but no file or terminal takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def harmless(text: str) -> str:
    r"""Return the text without what moves a terminal's cursor, hides letters or turns their order around.

    Examples
    --------
    >>> harmless("a\x1b[31mb")
    'a?[31mb'
    """
    return "".join("?" if unicodedata.category(c) in _NOT_SHOWN and c not in _SHOWN_ALL_THE_SAME else c for c in text)


def _check_lengths(header: int, payload: int) -> None:
    if header > MAX_HEADER or payload > MAX_PAYLOAD:
        raise ProtocolError(
            f"a frame of {header} + {payload} bytes is larger than the {MAX_HEADER} + {MAX_PAYLOAD} allowed"
        )


def _to_tree(value: Any, chunks: list[bytes], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise UnsupportedValueError(f"{type(value).__name__} nested more than {_MAX_DEPTH} deep")
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is np.ndarray:
        return {"array": [_append_bytes(value, chunks, value), list(value.shape)]}
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.generic):
        return {"scalar": _append_bytes(np.asarray(value), chunks, value)}
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, np.ndarray):
        array = np.asarray(value)
        return {"array": [_append_bytes(array, chunks, value), list(array.shape)]}
    if isinstance(value, (list, tuple)):
        key = "list" if isinstance(value, list) else "tuple"
        return {key: [_to_tree(item, chunks, depth + 1) for item in value]}
    raise UnsupportedValueError(type(value).__name__)


def _append_bytes(array: np.ndarray[Any, Any], chunks: list[bytes], value: Any) -> str:
    known = _NAMES.get(array.dtype)
    if known is not None:
        chunks.append(array.tobytes())
        return known
    dtype = array.dtype.newbyteorder("<")
    if dtype.str not in _DTYPES:
        raise UnsupportedValueError(f"{type(value).__name__} of dtype {array.dtype}")
    chunks.append(array.astype(dtype, copy=False).tobytes())
    name: str = dtype.str
    return name


class _Cursor:
    """A payload and how much of it has been used."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.position = 0

    def array(self, dtype_name: Any, shape: Any) -> np.ndarray[Any, Any]:
        if not isinstance(dtype_name, str) or dtype_name not in _DTYPES:
            raise ProtocolError("a dtype is not in the list")
        if not isinstance(shape, list) or len(shape) > _MAX_NDIM:
            raise ProtocolError("a shape is not a list of at most 32 sizes")
        if not all(type(size) is int and 0 <= size <= MAX_PAYLOAD for size in shape):
            raise ProtocolError("a shape has something else than sizes in it")
        # Zeros are left out: (0, 10⁷, 10⁷, 10⁷) has no bytes and still overflows NumPy's own arithmetic.
        if math.prod(size for size in shape if size) > MAX_PAYLOAD:
            raise ProtocolError("a shape is too large")
        dtype = np.dtype(dtype_name)
        length = math.prod(shape) * dtype.itemsize
        raw = self.payload[self.position : self.position + length]
        if len(raw) != length:
            raise ProtocolError(f"an array needs {length} bytes, and {len(raw)} are left")
        self.position += length
        if dtype == np.bool_ and raw.strip(b"\0\1"):
            raise ProtocolError("a boolean array has bytes that are neither 0 nor 1")
        return np.frombuffer(raw, dtype=dtype).reshape(shape).copy()


def _from_tree(tree: Any, cursor: _Cursor, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ProtocolError(f"values nested more than {_MAX_DEPTH} deep")
    match tree:
        case None | bool() | int():
            return tree
        case str():
            return without_surrogates(tree)
        case float() if math.isfinite(tree):
            return tree
        case {"list": list(items)} if len(tree) == 1:
            return [_from_tree(item, cursor, depth + 1) for item in items]
        case {"tuple": list(items)} if len(tree) == 1:
            return tuple(_from_tree(item, cursor, depth + 1) for item in items)
        case {"float": str(text)} if len(tree) == 1 and text in _NOT_FINITE:
            return _NOT_FINITE[text]
        case {"array": [dtype_name, shape]} if len(tree) == 1:
            return cursor.array(dtype_name, shape)
        case {"scalar": dtype_name} if len(tree) == 1:
            return cursor.array(dtype_name, [])[()]
    raise ProtocolError("a value has no known form")

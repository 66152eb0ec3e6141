"""Zip files inside the zip of a class as Moodle makes it: bombs, names that lead out, sizes that lie."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

from hostile.sample import FILE_NAME

# From the bytes of a right submission to the files of a student, by the name that Moodle gives them.
Pack = Callable[[bytes], Mapping[str, bytes]]


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of files."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as opened:
        for name, data in files.items():
            opened.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return memory.getvalue()


def _alone(data: bytes) -> Mapping[str, bytes]:
    return {"a1_scanning.zip": data}


def _flat_bomb(right: bytes) -> Mapping[str, bytes]:
    del right
    return _alone(packed({FILE_NAME: b" " * (300 << 20)}))


def _nested_bomb(right: bytes) -> Mapping[str, bytes]:
    del right
    data = packed({FILE_NAME: b"0" * (1 << 20)})
    for _ in range(5):
        data = packed({f"{number}.zip": data for number in range(9)})
    return _alone(data)


def _overlapping_bomb(right: bytes) -> Mapping[str, bytes]:
    """Name one packed file a thousand times, as by David Fifield (https://www.bamsoftware.com/hacks/zipbomb/)."""
    del right
    content = b" " * (19 << 20)
    body = zlib.compress(content, 9)[2:-4]
    sizes = zlib.crc32(content), len(body), len(content)
    name = FILE_NAME.encode()
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, *sizes, len(name), 0) + name + body
    entries = b""
    for number in range(1500):
        other = name if number == 0 else f"a1_scanning-{number}.ipynb".encode()
        entries += struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, *sizes, len(other), 0, 0, 0, 0, 0, 0)
        entries += other
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1500, 1500, len(entries), len(local), 0)
    return _alone(local + entries + end)


def _lying_size(size: int) -> Pack:
    def pack(right: bytes) -> Mapping[str, bytes]:
        data = bytearray(packed({FILE_NAME: right + b" " * (100 << 20)}))
        place = data.rfind(b"PK\x01\x02")
        data[place + 24 : place + 28] = struct.pack("<I", size)
        data[22:26] = struct.pack("<I", size)
        return _alone(bytes(data))

    return pack


def _names_that_lead_out(right: bytes) -> Mapping[str, bytes]:
    out = ("../../../../../../tmp/hostile-left.ipynb", "/tmp/hostile-left.ipynb", "..\\..\\hostile-left.ipynb")
    out += ("C:\\hostile-left.ipynb", "\\\\server\\hostile-left.ipynb", "a/../../hostile-left.ipynb", "//hostile-left")
    return _alone(packed({**dict.fromkeys(out, b"{}"), FILE_NAME: right}))


def _only_names_that_lead_out(right: bytes) -> Mapping[str, bytes]:
    return _alone(packed({f"../../course/release/a1/{FILE_NAME}": right, f"/tmp/{FILE_NAME}": right}))


def _link(right: bytes) -> Mapping[str, bytes]:
    del right
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as opened:
        entry = zipfile.ZipInfo(FILE_NAME)
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        opened.writestr(entry, "../../../course/secret.toml")
    return _alone(memory.getvalue())


def _locked(right: bytes) -> Mapping[str, bytes]:
    data = bytearray(packed({FILE_NAME: right}))
    data[6] |= 1
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    return _alone(bytes(data))


def _many_entries(right: bytes) -> Mapping[str, bytes]:
    return _alone(packed({**{f"empty-{number}": b"" for number in range(5000)}, FILE_NAME: right}))


def _twice(right: bytes) -> Mapping[str, bytes]:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as opened:
        opened.writestr(FILE_NAME, b"{}")
        opened.writestr(f"./{FILE_NAME}", right)
    return _alone(memory.getvalue())


def _nul_in_a_name(right: bytes) -> Mapping[str, bytes]:
    data = packed({f"a1_scanning.ipynb_{'x' * 9}.txt": b"no", FILE_NAME: right})
    return _alone(data.replace(b"ipynb_xx", b"ipynb\0xx"))


SAMPLES: dict[str, Pack] = {
    "zip_bomb_flat": _flat_bomb,
    "zip_bomb_nested": _nested_bomb,
    "zip_bomb_overlapping": _overlapping_bomb,
    "zip_size_too_small": _lying_size(10),
    "zip_size_too_large": _lying_size((1 << 32) - 2),
    "zip_names_that_lead_out": _names_that_lead_out,
    "zip_only_names_that_lead_out": _only_names_that_lead_out,
    "zip_with_a_link": _link,
    "zip_locked": _locked,
    "zip_of_another_method": lambda right: _alone(packed({FILE_NAME: right}, zipfile.ZIP_LZMA)),
    "zip_of_many_entries": _many_entries,
    "zip_with_a_name_twice": _twice,
    "zip_with_nul_in_a_name": _nul_in_a_name,
    "zip_cut_off": lambda right: _alone(packed({FILE_NAME: right})[:-30]),
    "zip_that_is_none": lambda right: {"a1_scanning.zip": right},
    "zip_of_unicode_names": lambda right: _alone(packed({"Ab\u0301gabe/\u05d3\u05e0\u05d4/\U0001f98a.ipynb": right})),
    "zip_from_a_mac": lambda right: _alone(packed({"__MACOSX/._a1_scanning.ipynb": b"\0\5", FILE_NAME: right})),
    "zip_of_the_class_file_named_out": lambda right: {f"../../hostile-left/{FILE_NAME}": b"{}", FILE_NAME: right},
    "zip_of_the_class_is_html": lambda right: {"onlinetext.html": b"<script>alert('hostile-left')</script>"},
}

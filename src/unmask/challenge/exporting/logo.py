"""A picture for platforms that demand one: a face that is light on one side and dark on the other."""

from __future__ import annotations

import struct
import zlib

_SIDE = 128
_LIGHT, _DARK = b"\xf2\xf0\xea", b"\x1f\x2a\x37"


def draw_logo() -> bytes:
    """A PNG of 128 x 128 pixels."""
    middle = (_SIDE - 1) / 2
    rows = []
    for y in range(_SIDE):
        pixels = b"".join(
            _LIGHT if ((x < middle) == ((x - middle) ** 2 + (y - middle) ** 2 < (0.4 * _SIDE) ** 2)) else _DARK
            for x in range(_SIDE)
        )
        rows.append(b"\0" + pixels)
    header = struct.pack(">2I5B", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    content = zlib.compress(b"".join(rows), 9)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", content), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

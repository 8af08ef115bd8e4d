"""Profile pictures that look alike when their seeds do: a PNG of coloured squares drawn from a text.

`zolw` is always the same picture, and `zolw~2` nearly that one, as a copy that was saved anew would be.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import sha512

CELLS = 8
PIXELS = 12  # of one square
_STRAY_MOST = 6  # how much a copy's squares differ, of 255


def picture(seed: str) -> bytes:
    """The PNG of a seed: eight by eight squares from one colour to another, 96 pixels wide."""
    name, _, copy = seed.partition("~")
    levels = list(sha512(name.encode()).digest())
    if copy:
        strays = sha512(seed.encode()).digest()
        levels = [
            min(255, max(0, level + stray % (2 * _STRAY_MOST + 1) - _STRAY_MOST))
            for level, stray in zip(levels, strays, strict=True)
        ]
    dark, light = _colours(name)
    rows = bytearray()
    for top in range(0, CELLS * CELLS, CELLS):
        row = b"".join(_blend(dark, light, level) * PIXELS for level in levels[top : top + CELLS])
        rows += (b"\0" + row) * PIXELS
    side = CELLS * PIXELS
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def _colours(name: str) -> tuple[bytes, bytes]:
    mixed = sha512(b"colours of " + name.encode()).digest()
    return bytes(part // 4 for part in mixed[:3]), bytes(255 - part // 4 for part in mixed[3:6])


def _blend(dark: bytes, light: bytes, level: int) -> bytes:
    return bytes(low + (high - low) * level // 255 for low, high in zip(dark, light, strict=True))

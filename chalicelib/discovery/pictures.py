"""A 64-bit hash of what a picture shows, which scaling, re-encoding and a cut of its edges change little.

It compares the 64 lowest frequencies of the picture in grey with their median (a DCT hash): on drawn logos
it told copies from others far better than comparing neighbours did (docs/finding-accounts.md has numbers).
"""

import io
import math
import operator
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.core.errors import SignalboxError

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 2048 * 2048  # networks keep avatars about 1,000 square; a decoded pixel takes four bytes
_SIDE, _LOW = 32, 8
# Of the picture's width: a copy is often cut, and a cut is undone by looking from farther away.
_CUTS = (0.95, 0.9, 0.85, 0.8)
_MARGINS = (0.025, 0.055, 0.09, 0.125)


class Unreadable(SignalboxError):
    """These bytes are no picture that we look at."""


def fingerprint(data: bytes) -> int:
    """The hash of a PNG, JPEG, WebP or GIF (its first frame). Raises Unreadable."""
    return _hash(_grey(data))


def fingerprints(data: bytes) -> tuple[int, ...]:
    """The same of the whole picture, then of smaller and of wider cuts of it. Raises Unreadable."""
    from PIL import Image

    grey = _grey(data)
    size = grey.width
    found = [_hash(grey)]
    for part in _CUTS:
        edge = size * (1 - part) / 2
        box = (edge, edge, size - edge, size - edge)
        found.append(_hash(grey.resize(grey.size, Image.Resampling.BILINEAR, box=box)))
    for part in _MARGINS:
        margin = round(size * part)
        wider = grey.resize((size + 2 * margin, size + 2 * margin))
        wider.paste(grey, (margin, margin))
        found.append(_hash(wider))
    return tuple(found)


def _grey(data: bytes) -> "Image":
    """The picture in grey on white, 128 pixels square; nothing is decoded before its size is known."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Unreadable("the picture is too large")
            picture.draft("RGB", (256, 256))  # a JPEG is decoded at the size that is needed
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                seen = picture.convert("RGBA")
                page = Image.new("RGBA", seen.size, "white")
                page.alpha_composite(seen)
                return page.convert("L").resize((128, 128), Image.Resampling.BOX)
            return picture.convert("L").resize((128, 128), Image.Resampling.BOX)
    except Unreadable:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything at hostile bytes
        raise Unreadable(f"the picture cannot be read ({type(error).__name__})") from error


def _hash(grey: "Image") -> int:
    from PIL import Image

    pixels = grey.resize((_SIDE, _SIDE), Image.Resampling.BOX).tobytes()
    waves = _waves()
    rows = [
        [sum(map(operator.mul, pixels[start : start + _SIDE], wave)) for wave in waves]
        for start in range(0, _SIDE * _SIDE, _SIDE)
    ]
    columns = list(zip(*rows, strict=True))
    low = [sum(map(operator.mul, column, wave)) for wave in waves for column in columns]
    if max(map(abs, low[1:])) < _SIDE:  # one colour: what is left is rounding
        return 0
    middle = sorted(low[1:])[len(low) // 2 - 1]
    bits = 0
    for value in low:
        bits = bits << 1 | (value > middle)
    return bits


@cache
def _waves() -> tuple[tuple[float, ...], ...]:
    return tuple(
        tuple(math.cos(math.pi * (2 * x + 1) * u / (2 * _SIDE)) for x in range(_SIDE)) for u in range(_LOW)
    )

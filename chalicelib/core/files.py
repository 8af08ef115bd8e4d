"""What the bytes of a picture or film show, whatever it was called; nothing is decoded.

Only structure is read, so a picture that would unpack to gigabytes costs nothing here. A file must end where
its format says: one that was cut off, or carries another file behind it, is not whole.
"""

import hashlib
import io
from dataclasses import dataclass

_BRANDS = (b"iso", b"mp4", b"avc1", b"M4V", b"MSNV", b"mmp4", b"dash")  # not HEIC, AVIF or QuickTime
_FIRST_SIZED = 0xC0  # JPEG markers from here on, but RST, SOI and EOI, are followed by their length


@dataclass(frozen=True)
class Inspected:
    """What was found: the SHA-256 of the bytes, pixels of a picture, and everything that is wrong."""

    digest: str
    width: int | None
    height: int | None
    problems: tuple[str, ...]


def inspect(body: bytes, mime: str, most_bytes: int, most_pixels: int) -> Inspected:
    """Look at a file that is said to be of the type `mime`."""
    problems = []
    kind, size = sniff(body), None
    if kind != mime:
        problems.append(f"the bytes are {kind or 'of no type we know'}, not {mime}")
    if len(body) > most_bytes:
        problems.append(f"it has more than {most_bytes} bytes")
    elif kind is not None and not is_whole(kind, body):
        problems.append("it is cut off, or something else is attached to it; export it again")
    if kind is not None and kind.startswith("image/"):
        size = pixels(body)
        if size is None:
            problems.append("its width and height cannot be read")
        elif size[0] * size[1] > most_pixels:
            problems.append(f"it has {size[0] * size[1]} pixels; the most is {most_pixels}")
    width, height = size or (None, None)
    return Inspected(hashlib.sha256(body).hexdigest(), width, height, tuple(problems))


def sniff(body: bytes) -> str | None:
    """The type that the first bytes show, or None for one that we do not take."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:8] == b"ftyp" and body[8:12].startswith(_BRANDS):
        return "video/mp4"
    return None


def pixels(body: bytes) -> tuple[int, int] | None:
    """(width, height) as the picture's header says, or None if it does not say."""
    import imagesize

    try:
        width, height = imagesize.get(io.BytesIO(body))
    except Exception:  # the library's readers fail in many ways on hostile headers; all mean the same
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None


def is_whole(kind: str, body: bytes) -> bool:
    """Whether a file of this type ends where it should: neither cut off nor followed by something else.

    A JPEG may be followed by data, as cameras do (motion photos); it only has to end.
    """
    match kind:
        case "image/jpeg":
            return _jpeg_ends(body)
        case "image/png":
            return _png_end(body) == len(body)
        case "image/gif":
            return _gif_end(body) == len(body)
        case "image/webp":
            size = int.from_bytes(body[4:8], "little") + 8
            return len(body) in (size, size + size % 2) and len(body) > 20
        case "video/mp4":
            return _mp4_is_whole(body)
    return False


def _jpeg_ends(body: bytes) -> bool:
    """Whether the end marker comes after the first scan; thumbnails in the header have one of their own."""
    at = 2
    while at + 4 <= len(body) and body[at] == 0xFF:
        marker = body[at + 1]
        if marker == 0xDA:
            return body.find(b"\xff\xd9", at) > 0
        if marker < _FIRST_SIZED or 0xD0 <= marker <= 0xD9:
            return False
        at += 2 + int.from_bytes(body[at + 2 : at + 4])
    return False


def _png_end(body: bytes) -> int:
    """Where the IEND chunk ends (PNG 3rd edition, 5.2), or -1."""
    at = 8
    while at + 12 <= len(body):
        size, name = int.from_bytes(body[at : at + 4]), body[at + 4 : at + 8]
        if (name == b"IHDR") != (at == 8):
            return -1
        at += size + 12
        if name == b"IEND":
            return at
    return -1


def _gif_end(body: bytes) -> int:
    """Where the trailer ends (GIF89a, 27), or -1."""
    at = 13 + _colours(body[10:11])
    while at < len(body):
        block = body[at]
        if block == 0x3B:
            return at + 1
        if block == 0x21:
            at += 2
        elif block == 0x2C:
            at += 11 + _colours(body[at + 9 : at + 10])
        else:
            return -1
        while at < len(body) and body[at]:
            at += body[at] + 1
        at += 1
    return -1


def _colours(flags: bytes) -> int:
    """The bytes of a colour table that follows."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _mp4_is_whole(body: bytes) -> bool:
    """Whether the boxes fill the file, the film and its index among them (ISO 14496-12, 4.2)."""
    at, names = 0, set()
    while at + 8 <= len(body):
        size, name = int.from_bytes(body[at : at + 4]), body[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(body[at + 8 : at + 16])
        elif size == 0:
            size = len(body) - at
        if size < 8:
            return False
        names.add(name)
        at += size
    return at == len(body) and names >= {b"moov", b"mdat"}

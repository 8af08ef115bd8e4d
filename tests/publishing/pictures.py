"""Files of every type that is taken, made by hand and as small as they can be, for the tests to spoil."""

import struct
import zlib


def png(width: int = 1, height: int = 1, data: bytes | None = None) -> bytes:
    """A PNG; its header may claim any size, whatever the data holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0") if data is None else data
    parts = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def jpeg(width: int = 2, height: int = 3) -> bytes:
    """The segments of a JPEG, an embedded thumbnail's end marker among them, and a scan."""
    thumbnail = b"Exif\0\0 thumbnail \xff\xd9"
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    parts = ((0xE1, thumbnail), (0xC0, frame), (0xDA, b"\x01\x01\x00\x00\x3f\x00"))
    segments = b"".join(bytes([0xFF, kind]) + struct.pack(">H", len(body) + 2) + body for kind, body in parts)
    return b"\xff\xd8" + segments + b"\x12\x34\xff\x00\x56" + b"\xff\xd9"


def gif(width: int = 1, height: int = 1) -> bytes:
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    comment = b"\x21\xfe\x05hello\0"
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + screen + comment + image + b";"


def webp(width: int = 4, height: int = 5) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + sizes
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp4(brand: bytes = b"isom") -> bytes:
    boxes = ((b"ftyp", brand + b"\0\0\0\0"), (b"moov", b"x" * 20), (b"mdat", b"y" * 30))
    return b"".join(struct.pack(">I", len(body) + 8) + name + body for name, body in boxes)


WHOLE = {
    "image/png": png(),
    "image/jpeg": jpeg(),
    "image/gif": gif(),
    "image/webp": webp(),
    "video/mp4": mp4(),
}
